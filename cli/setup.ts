import { relative } from "@std/path";
import { findGpu, isBuildReady, tensorflowFolder } from "../lib/tensorflow/setup/mod.ts";
import { choice, flag } from "../lib/support/schema.ts";
import { projectFolder } from "../lib/support/project.ts";
import { runCommand } from "./shared/command.ts";
import { setUpTensorFlow } from "./shared/load.ts";
import type { Command, CommandLine } from "./shared/options.ts";
import { print } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task setup",
  summary: "Installs TensorFlow's libraries and the addon that connects them to Deno into .tensorflow. " +
    "The other tasks do this automatically. If everything is installed, it does nothing.",
  options: {
    device: {
      schema: choice(["auto", "cpu", "gpu"]),
      default: "auto",
      help:
        "cpu: TensorFlow for the CPU (0.9 GB); gpu: with CUDA, computes on both (5 GB); auto: gpu where nvidia-smi finds one",
    },
    quiet: flag("print nothing if everything is installed"),
  },
  examples: [
    ["deno task setup", "the build for this machine"],
    ["deno task setup --device gpu", "with CUDA, even without a GPU now"],
  ],
} satisfies Command;

/** Installs TensorFlow and prints its folder. */
async function main({ values: { device, quiet } }: CommandLine<typeof COMMAND>): Promise<void> {
  const build = device === "auto" ? await detectBuild() : device;
  const { version, folder, build: installed } = await setUpTensorFlow({ device: build, withoutGpu: true });
  if (quiet) return;
  const name = installed === "gpu" ? "with CUDA" : "for the CPU";
  print(`TensorFlow ${version} ${name} is ready in ${relative(projectFolder(), folder)}/${installed}.`);
}

/** Suggests the CUDA build if a GPU was added after set-up for the CPU. */
async function detectBuild(): Promise<"cpu" | "gpu"> {
  if (isBuildReady("gpu", tensorflowFolder(projectFolder()))) return "gpu";
  return await findGpu() === null ? "cpu" : "gpu";
}

if (import.meta.main) await runCommand(COMMAND, main);
