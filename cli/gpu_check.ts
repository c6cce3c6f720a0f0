import { checkDevice, type CheckResult } from "../bench/gpu_check.ts";
import { watchInterrupts } from "../lib/support/interrupt.ts";
import { integer } from "../lib/support/schema.ts";
import { useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import { describeMachine, formatMachine, readCommit } from "../lib/experiments/provenance.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { runCommand } from "./shared/command.ts";
import { setUpTensorFlow } from "./shared/load.ts";
import type { Command, CommandLine } from "./shared/options.ts";
import { print } from "./shared/terminal.ts";

/** Declares `deno task gpu-check`. */
export const COMMAND = {
  name: "deno task gpu-check",
  summary:
    "Checks the GPU against the CPU on synthetic images: gradients, a run with its checkpoint, resume, evaluate and " +
    "predict; and times it. Send its table with a report of a problem. About two minutes on a GPU.",
  options: {
    device: {
      ...TRAINING_OPTIONS.device,
      default: "gpu",
      help: "the device to check; cpu tries the check itself",
    },
    images: {
      schema: integer({ from: 1280, to: 50_000 }),
      default: 6400,
      group: "Machine",
      help: "training images of the runs",
      value: "N",
    },
    steps: {
      schema: integer({ from: 1, to: 10_000 }),
      default: 50,
      group: "Machine",
      help: "steps per timing",
      value: "N",
    },
  },
} satisfies Command;

const MARKS = { true: ", ok", false: ", FAILED", null: "" };

async function main({ values }: CommandLine<typeof COMMAND>): Promise<number> {
  await setUpTensorFlow({ device: values.device });
  const { device, version } = await useNativeTensorFlow({ device: values.device });
  print(formatMachine(await describeMachine(device)));
  print(`TensorFlow ${version}, Deno ${Deno.version.deno}, commit ${await readCommit() ?? "unknown"}\n`);
  using interrupts = watchInterrupts();
  const results: CheckResult[] = [];
  await checkDevice({
    device,
    images: values.images,
    steps: values.steps,
    signal: interrupts.signal,
    onResult: (one) => {
      results.push(one);
      print(`${one.check}: ${one.result}${MARKS[`${one.passed}`]}`);
    },
  });
  const failed = results.filter(({ passed }) => passed === false).length;
  print(failed === 0 ? "\nAll checks passed." : `\n${failed} of ${results.length} checks FAILED.`);
  return failed === 0 ? 0 : 2;
}

if (import.meta.main) await runCommand(COMMAND, main);
