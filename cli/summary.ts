import type { NetworkSpec } from "../lib/model/spec.ts";
import { summarise } from "../lib/model/summary.ts";
import type { Option } from "../lib/support/options.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { runCommand } from "./shared/command.ts";
import { type Command, parseCommandLine } from "./shared/options.ts";
import { formatTable } from "./shared/table.ts";

const { variant, backbone, adapter } = TRAINING_OPTIONS;

const COMMAND: Command<NetworkSpec> = {
  name: "deno task summary",
  summary: "Lists a network's layers with their output shapes and numbers of parameters.",
  options: {
    variant: variant as Option<NetworkSpec["variant"]>,
    backbone: backbone as Option<NetworkSpec["backbone"]>,
    adapter: adapter as Option<NetworkSpec["adapter"]>,
  },
};

function main(args: string[]): Promise<void> {
  const { layers, parameters, trainable } = summarise(parseCommandLine(COMMAND, args).values);
  console.log(formatTable({
    header: ["layer", "kind", "output shape", "parameters", "trainable"],
    rows: layers.map((
      row,
    ) => [row.layer, row.kind, `[${row.outputShape.join(", ")}]`, row.parameters, row.trainable]),
    footer: [["total", "", "", parameters, trainable]],
  }));
  return Promise.resolve();
}

if (import.meta.main) await runCommand(main);
