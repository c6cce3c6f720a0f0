import { SetupInterrupted, TensorFlowError, type TensorFlowErrorCode } from "../../lib/tensorflow/errors.ts";
import { InputError, type NextStep } from "../../lib/support/errors.ts";
import { Interrupted, outliveHangUp } from "../../lib/support/interrupt.ts";
import { explainSystemError, systemErrorName } from "../../lib/support/system_errors.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { outputWidth, print, printMessage } from "./terminal.ts";
import { type Command, type CommandLine, flagOf, formatHelp, parseCommandLine, showFlag } from "./options.ts";

/** Exit codes of every command. */
const EXIT = { done: 0, bug: 1, input: 2, interrupted: 130, brokenPipe: 141 };

/**
 * Runs a command with its command line and ends the process: 0 done (or what `main` returns), 2 the user's
 * input or machine is unusable (one line on standard error), 130 interrupted, 1 a bug (with its stack).
 */
export async function runCommand<Given extends Command>(
  command: Given,
  main: (line: CommandLine<Given>) => Promise<number | void>,
): Promise<never> {
  let code: number;
  try {
    outliveHangUp();
    enterCallersFolder();
    const line = parseCommandLine(command, [...Deno.args]);
    if (line === null) print(formatHelp(command));
    code = line === null ? EXIT.done : await main(line) ?? EXIT.done;
  } catch (error) {
    code = await reportError(error, command.name);
  }
  Deno.exit(code);
}

/** Makes relative paths those of the caller's folder: `deno task` starts in the project's. */
function enterCallersFolder(): void {
  const caller = Deno.env.get("INIT_CWD");
  if (caller && Deno.cwd() === projectFolder()) Deno.chdir(caller);
  Deno.env.delete("INIT_CWD"); // not for tasks started in a terminal of JupyterLab
}

/** Reports the error that ended the command, and returns its exit code. */
async function reportError(error: unknown, command: string): Promise<number> {
  if (error instanceof SetupInterrupted) {
    await printError(error.message);
    return EXIT.interrupted;
  }
  if (error instanceof Interrupted) {
    const next = error.next.map((step) => ` To continue, ${wordNextStep(step)}.`);
    if (error.message !== "") await printError(error.message + next.join(""));
    return EXIT.interrupted;
  }
  if (error instanceof TensorFlowError) error = toInputError(error);
  else if (isOutOfMemory(error)) error = OUT_OF_MEMORY;
  else error = explainSystemError(error) ?? error;
  if (error instanceof InputError) {
    await printError(`error: ${wordInputError(error).replaceAll("\n", " ")}`);
    return EXIT.input;
  }
  if (error instanceof Deno.errors.NotCapable) {
    const script = `cli/${command.split(" ").at(-1)}.ts`;
    await printError(
      `error: ${error.message.split(", run again")[0]}, which deno.json does not grant to this task; ` +
        `choose another place, or grant everything by \`./deno run -A ${script}\` instead of \`${command}\`.`,
    );
    return EXIT.input;
  }
  // the reader of our output (head, less) has closed the pipe
  if (systemErrorName(error) === "EPIPE") return EXIT.brokenPipe;
  printMessage(Deno.inspect(error));
  printMessage(
    "This is a bug in the program: please report it with the command you typed and the lines above.",
  );
  return EXIT.bug;
}

/** Recognises that JavaScript, or TensorFlow on a GPU, can allocate no more. */
function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && /allocation failed|OOM when allocating|bad_alloc/.test(error.message);
}

const OUT_OF_MEMORY = new InputError({
  what: "continue",
  why: "there is not enough memory",
  next: [{ advice: "close other programs" }, { advice: "use smaller batches" }],
});

/** Prints one line, on a terminal wrapped between words. */
async function printError(line: string): Promise<void> {
  if (!Deno.stderr.isTerminal()) return printMessage(line);
  const { wrapText } = await import("./table.ts");
  printMessage(wrapText(line, outputWidth(Deno.stderr)));
}

/** Remedies for TensorFlow's errors in this project; other errors have their own. */
const TENSORFLOW_STEPS: Partial<Record<TensorFlowErrorCode, readonly NextStep[]>> = {
  "not-installed": [{ task: "setup" }],
  "cuda-not-installed": [{ task: "setup", set: { device: "gpu" } }, { set: { device: "cpu" } }],
  "no-gpu": [
    { advice: "check that `nvidia-smi` lists one" },
    { task: "setup", set: { device: "gpu" } },
    { set: { device: "cpu" } },
  ],
  "gpu-in-use": [{ advice: "start a new process" }, { set: { device: "gpu" } }],
};

/** Converts an error of the TensorFlow package to an {@linkcode InputError}. */
function toInputError({ problem, message }: TensorFlowError): InputError {
  const next = TENSORFLOW_STEPS[problem.code];
  return new InputError(next === undefined ? message : { ...problem, next });
}

/** Words an error for the command line: the option at fault, and what to type next. */
export function wordInputError({ message, problem, setting, next }: InputError): string {
  if (problem === undefined) return message;
  const named = setting === undefined ? problem.what : `${problem.what} (${flagOf(setting)})`;
  const advice = next.length === 0 ? "" : `; ${next.map(wordNextStep).join(", or ")}`;
  return `Cannot ${named}: ${problem.why}${advice}.`;
}

/** Words a remedy as what to type. */
export function wordNextStep(step: NextStep): string {
  if ("advice" in step) return step.advice;
  const options = Object.entries(step.set ?? {}).map(([name, value]) => showFlag(name, value));
  if (!("task" in step)) return `use ${options.join(" ")}`;
  return `run \`${["deno task", step.task, ...step.arguments ?? [], ...options].join(" ")}\``;
}
