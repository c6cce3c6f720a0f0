/** The kind of a {@linkcode TensorFlowError}. */
export type TensorFlowErrorCode =
  /** The libraries or the addon are missing, or of another release. */
  | "not-installed"
  /** A GPU is asked for, and the CUDA build is not installed. */
  | "cuda-not-installed"
  /** A GPU is asked for, and none answers. */
  | "no-gpu"
  /** The CPU is asked for in a process that already computes on the GPU. */
  | "gpu-in-use"
  /** There is no build for this operating system or processor. */
  | "unsupported-platform"
  /** Something could not be fetched or compiled. */
  | "install-failed"
  /** An environment variable has a value that cannot be used. */
  | "invalid-setting";

/** The parts of a {@linkcode TensorFlowError}. */
export interface TensorFlowProblem {
  /** The kind of problem, for programs. */
  code: TensorFlowErrorCode;
  /** Completes "Cannot …": "compute on a GPU". */
  what: string;
  /** A clause without a full stop: "none answers here". */
  why: string;
  /** A clause in the imperative: "check that `nvidia-smi` lists one". */
  advice: string;
}

/** TensorFlow cannot be installed or used on this machine as asked. The message is two sentences. */
export class TensorFlowError extends Error {
  /** Tells it from other errors. */
  override name = "TensorFlowError";
  /** The parts of the message, for programs that word it themselves. */
  readonly problem: TensorFlowProblem;

  /** Words the message. */
  constructor(problem: TensorFlowProblem, options?: ErrorOptions) {
    const { what, why, advice } = problem;
    super(`Cannot ${what}: ${why}. ${advice[0].toUpperCase()}${advice.slice(1)}.`, options);
    this.problem = problem;
  }
}

/** The user stopped a set-up by Ctrl-C or SIGTERM. Nothing unfinished is left. */
export class SetupInterrupted extends Error {
  /** Tells it from other errors. */
  override name = "SetupInterrupted";

  /** Makes one. */
  constructor(options?: ErrorOptions) {
    super("Set-up stopped; it starts afresh the next time.", options);
  }
}

/** A function cannot be compiled, or not be called like this. The message says why, and what helps. */
export class CompileError extends Error {
  /** Tells it from other errors. */
  override name = "CompileError";
}
