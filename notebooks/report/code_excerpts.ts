import { join } from "@std/path";
import { projectFolder } from "../../lib/support/project.ts";
import { block, toTypst } from "./typst.ts";

/** Functions that the lab asks for, by task: file below `lib`, then names. */
const EXCERPTS:
  readonly (readonly [task: string, ...functions: (readonly [file: string, ...names: string[]])[]])[] = [
    ["Initialisation (2.1)", ["model/tensor_list.ts", "listTensors"], [
      "model/create_network.ts",
      "createNetwork",
    ]],
    [
      "Filters with their L2 norm, and the dynamic convolution (2.1)",
      ["model/filters.ts", "makeFilters", "generateFilters", "normaliseRows"],
      ["model/dynamic_convolution.ts", "dynamicConvolution"],
    ],
    [
      "Score predictor and forward pass (2.1)",
      ["model/score_predictor.ts", "predictScores"],
      ["model/network.ts", "forward"],
    ],
    [
      "Saving the best epoch, and resuming (2.2)",
      ["training/run_epochs.ts", "finishEpoch"],
      ["training/start_training.ts", "saveTraining", "resumeTraining"],
    ],
  ];

/** Prints the functions that the lab's tasks ask for, as they stand in the code. */
export function writeCodeExcerpts(): string {
  const listings = EXCERPTS.flatMap(([task, ...files]) => [
    block(`#plain-heading(level: 3)[${task}]`),
    ...files.map(([file, ...names]) => {
      const functions = names.map((name) => readFunction(`lib/${file}`, name));
      return block(`#listing(${toTypst([`// lib/${file}`, ...functions].join("\n"))})`);
    }),
  ]);
  return [
    block("#heading(numbering: none, level: 1)[The code of the tasks] <code>"),
    "As it stands in the project, without doc comments; the zip holds all code.",
    ...listings,
  ].join("\n\n");
}

/** Copies a function from a source file, without its doc comment. */
function readFunction(file: string, name: string): string {
  const source = Deno.readTextFileSync(join(projectFolder(), file));
  const found = new RegExp(`^(?:export )?(?:async )?function ${name}\\b[^]*?^}$`, "m").exec(source);
  if (found === null) throw new RangeError(`${file} has no function ${name}.`);
  return found[0].replace(/^export /, "");
}
