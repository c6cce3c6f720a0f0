/** Study `recipes`: the accuracies of the recipes, and what each of their options contributes. */
import { markdownTable } from "markdown-table";
import { z } from "zod";
import { disposeAll } from "../../model/state_dict.ts";
import { choice, integer, plainText, share } from "../../support/schema.ts";
import { formatInterval, formatSpread, meanInterval } from "../../support/statistics.ts";
import { showOption } from "../../training/config.ts";
import { evaluate } from "../../training/evaluate.ts";
import type { RecipeName, TrainConfig } from "../../training/options.ts";
import { selectRunData } from "../../training/run_data.ts";
import { type Study, type StudyContext, type StudyUnit, trainRun } from "../study.ts";

const RECIPES = ["lab", "fast", "best"] as const;

const ROW = z.strictObject({
  recipe: choice(RECIPES),
  /** The options changed, as text; empty for the recipe itself. */
  change: plainText(200),
  seed: integer({ from: 0 }),
  epochs: integer({ from: 1 }),
  /** Of the last epoch's network on the test images, and with the scores of their mirror images averaged in. */
  testAccuracy: share(),
  mirrorAccuracy: share(),
});

/** Accuracy of a training by a recipe, or by one with changed options. */
export type RecipeRow = z.infer<typeof ROW>;

interface Unit extends StudyUnit {
  recipe: RecipeName;
  change: Partial<TrainConfig>;
  seed: number;
}

/** Options of `fast` that are set back to the lab's one by one, with what they need beside. */
const ABLATIONS: readonly Partial<TrainConfig>[] = [
  { optimizer: "sgd", learningRate: 0.1 },
  { schedule: "one-cycle" },
  { labelSmoothing: 0 },
  { shift: 4 },
];

/** Seeds of `best` at most: one of its trainings takes as long as 25 by `fast`. */
const SEEDS_OF_BEST = 5;

/** Measures the recipes, and `fast` without each of its options. */
export const RECIPES_STUDY: Study<Unit, RecipeRow> = {
  name: "recipes",
  about: "How accurate is the network by each recipe, and what does each option of a recipe contribute?",
  seeds: 10,
  units: (seeds) =>
    seeds.flatMap((seed, at) => [
      ...ABLATIONS.map((change) => unit("fast", seed, change)),
      unit("lab", seed),
      unit("fast", seed),
      ...(at < SEEDS_OF_BEST ? [unit("best", seed)] : []),
    ]),
  row: ROW,
  measure: async (unit, context) => [await measureRecipe(unit, context)],
  format: formatRecipes,
};

function unit(recipe: RecipeName, seed: number, change: Partial<TrainConfig> = {}): Unit {
  const [changed] = Object.entries(change);
  const name = changed === undefined ? "" : `-${showOption(changed[0] as keyof TrainConfig, changed[1])}`;
  return { name: `${recipe}${name}-seed${seed}`.replaceAll(" ", "-").toLowerCase(), recipe, change, seed };
}

async function measureRecipe(
  { name, recipe, change, seed }: Unit,
  context: StudyContext,
): Promise<RecipeRow> {
  const { config, loadNetwork } = await trainRun(context, { run: name, recipe, ...change, seed });
  const tensors = loadNetwork();
  const { test } = selectRunData(context.datasets, config);
  const { accuracy: testAccuracy } = await evaluate(tensors, test, config);
  const { accuracy: mirrorAccuracy } = await evaluate(tensors, test, { ...config, mirror: true });
  disposeAll(tensors);
  const changed = Object.entries(change).map(([key, value]) => showOption(key as keyof TrainConfig, value));
  const { epochs } = config;
  return { recipe, change: changed.join(", "), seed, epochs, testAccuracy, mirrorAccuracy };
}

/** Pairs the rows of a change with those of the recipe itself, seed by seed: differences in accuracy. */
export function pairRows(rows: readonly RecipeRow[], recipe: RecipeName, change: string): number[] {
  const own = rows.filter((row) => row.recipe === recipe);
  return own.filter((row) => row.change === change).flatMap((row) => {
    const whole = own.find((other) => other.change === "" && other.seed === row.seed);
    return whole === undefined ? [] : [row.testAccuracy - whole.testAccuracy];
  });
}

function formatRecipes(rows: readonly RecipeRow[]): string {
  const groups = Map.groupBy(rows, ({ recipe, change }) => `${RECIPES.indexOf(recipe)} ${change}`);
  const table = [...groups].sort(([one], [other]) => one < other ? -1 : 1).map(([, group]) => {
    const [{ recipe, change, epochs }] = group;
    const paired = change === "" ? [] : pairRows(rows, recipe, change);
    const spread = (key: "testAccuracy" | "mirrorAccuracy") =>
      formatSpread(meanInterval(group.map((row) => row[key])), 2, 100);
    return [
      `\`${recipe}\`${change === "" ? "" : ` with ${change}`}`,
      ...[epochs, group.length].map(String),
      spread("testAccuracy"),
      spread("mirrorAccuracy"),
      paired.length === 0 ? "–" : formatInterval(meanInterval(paired), 2, 100),
    ];
  });
  return [
    markdownTable([
      ["recipe", "epochs", "n", "test images (%)", "with mirror images (%)", "minus the recipe (points)"],
      ...table,
    ], { align: ["l", "r", "r", "r", "r", "r"] }),
    "",
    "- Accuracies of the last epoch's network; no epoch is chosen. ± is the standard deviation over the n " +
    "seeds; brackets are 95 % intervals by Student's t over pairs of one seed.",
    "- The recipes were chosen on 5,000 training images that were held out. The test images had a say only in " +
    "what was left out again (docs/recipes.md).",
    "- With mirror images: the scores of each image and of its mirror image are averaged.",
    "- An option that a row changes is the lab's again, or what is best without it.",
  ].join("\n");
}
