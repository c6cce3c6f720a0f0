/** Something to do about an {@linkcode InputError}. The command line words it as options and commands. */
export type NextStep =
  /** Change settings, named as in the configuration: `{ set: { device: "cpu" } }` → "use --device cpu". */
  | { set: Record<string, unknown> }
  /** Run a task: `{ task: "setup", set: { device: "gpu" } }` → "run `deno task setup --device gpu`". */
  | { task: string; arguments?: readonly string[]; set?: Record<string, unknown> }
  /** Other advice, as a clause in the imperative: "check that `nvidia-smi` lists a GPU". */
  | { advice: string };

/** A problem with the user's input, in parts. */
export interface Problem {
  /** Completes "Cannot …": "use /images as the data set". */
  what: string;
  /** A clause without a full stop: "there is no such folder". */
  why: string;
  /** The setting at fault, named as in the configuration: `learningRate`. */
  setting?: string;
  /** Remedies, the likeliest first. */
  next?: readonly NextStep[];
}

/**
 * The user's input (a file, a setting, the machine) cannot be used.
 *
 * The message is one sentence, "Cannot …: …". It names no command-line option: the fields say which setting
 * is at fault and what would help, and the command line words them, prints one line without a stack, and ends
 * with exit code 2.
 */
export class InputError extends Error {
  /** `InputError` */
  override name = "InputError";
  /** {@linkcode Problem.setting} */
  readonly setting?: string;
  /** {@linkcode Problem.next} */
  readonly next: readonly NextStep[];
  /** The problem in parts, if it was given in parts. */
  readonly problem?: Problem;

  /** Creates the error. @param problem In parts, or a complete sentence where no setting is at fault. */
  constructor(problem: Problem | string, options?: ErrorOptions) {
    if (typeof problem === "string") {
      super(clip(problem), options);
      this.next = [];
      return;
    }
    const [what, why] = [clip(problem.what), clip(problem.why)];
    super(`Cannot ${what}: ${why}.`, options);
    this.problem = { ...problem, what, why };
    this.setting = problem.setting;
    this.next = problem.next ?? [];
  }
}

const LONGEST_PART = 2000; // characters: a name in a file may have millions

/** Shortens a long text, and in the middle a word that is longer than most paths. */
function clip(text: string): string {
  const words = text.slice(0, 1e6).replace(
    /\S{1000,}/g,
    (word) => `${word.slice(0, 100)}…${word.slice(-100)}`,
  );
  return words.length > LONGEST_PART ? `${words.slice(0, LONGEST_PART)}…` : words;
}
