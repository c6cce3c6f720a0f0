import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { inline } from "./markup.ts";
import { cite, referToSections } from "./prose.ts";

/** Network, data, recipe and program in a few lines, with the works they come from: what a reader needs before the sections. */
export function writeBackground(results: readonly ExperimentResult[], notebooks: readonly number[]): string {
  const recipe = results.find(({ experiment }) => experiment === "dynamic")?.recipe;
  const seeds = Math.max(0, ...results.map((result) => result.seeds.length));
  const names = [...new Set(results.map(({ data }) => data.name))].join("; ");
  const paragraphs = [
    "**Network.** Dynamic filter networks let one network write the weights of another, as it is asked for. Here the class asks, not the " +
    "image: a generator makes a 1×1 filter of each class's embedding. The image's side is ResNet-18 up to its first stage, with weights " +
    "from ImageNet. That it contains batch normalisation matters where it is frozen (notebook 4).",
    "**Data.** CIFAR-10: 50,000 training and 10,000 test images of 32×32 pixels in ten classes" +
    `${names === "" || names === "CIFAR-10" ? "" : `; the numbers here were measured on: ${names}`}.`,
    ...recipe === undefined ? [] : [
      `**Recipe.** ${recipe.epochs} epochs in batches of ${recipe.batchSize}, ${
        recipe.optimizer === "sgd"
          ? `stochastic gradient descent with Nesterov momentum ${recipe.momentum}`
          : "Adam"
      }, weight decay ${recipe.weightDecay}, a ${
        recipe.schedule === "one-cycle" ? "one-cycle" : recipe.schedule
      } learning rate with its peak at ${recipe.learningRate}${
        recipe.augment ? ", random crops and mirrored images" : ""
      }. Every experiment has this one recipe and ${
        seeds === 1 ? "one seed" : `up to ${seeds} seeds`
      }; runs of one seed see the same ` +
      "images in the same order and are compared in pairs.",
    ],
    `**Program.** TypeScript on Deno, with TensorFlow's C library by way of TensorFlow.js${
      recipe?.winograd === false ? "" : "; its 3×3 convolutions are computed by Winograd's minimal filtering"
    }.`,
  ];
  const text = paragraphs.map((paragraph) => referToSections(paragraph, { notebooks })).join(" ");
  return `${inline("#plain-heading[Network, data, recipe]")}\n\n${cite(text, { cited: new Set() })}`;
}
