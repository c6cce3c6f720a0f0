import { summarise } from "../lib/model/summary.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { runCommand } from "./shared/command.ts";
import type { Command, CommandLine } from "./shared/options.ts";
import { formatTable } from "./shared/table.ts";
import { print } from "./shared/terminal.ts";

const { variant, backbone, adapter, embeddingSize, generatorUnits, predictorUnits } = TRAINING_OPTIONS;

export const COMMAND = {
  name: "deno task summary",
  summary: "Lists a network's layers with their output shapes and numbers of parameters.",
  options: { variant, backbone, adapter, embeddingSize, generatorUnits, predictorUnits },
} satisfies Command;

function main({ values }: CommandLine<typeof COMMAND>): Promise<void> {
  const { layers, parameters, trainable } = summarise(values);
  const isFrozen = trainable < parameters;
  print(formatTable({
    header: ["layer", "kind", "output shape", "parameters", ...isFrozen ? ["trainable"] : []],
    rows: layers.map((row) => [
      row.layer,
      row.kind,
      `[${row.outputShape.join(",")}]`,
      row.parameters,
      ...isFrozen ? [row.trainable] : [],
    ]),
    footer: [["total", isFrozen ? "" : "all trainable", "", parameters, ...isFrozen ? [trainable] : []]],
    prose: 1,
  }));
  return Promise.resolve();
}

if (import.meta.main) await runCommand(COMMAND, main);
