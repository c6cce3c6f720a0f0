/** The kind of a {@linkcode TensorFlowError}. */
export type TensorFlowErrorCode =
  /** The libraries or the addon are missing or of another release. */
  | "not-installed"
  /** A GPU is requested, but the CUDA build is not installed. */
  | "cuda-not-installed"
  /** A GPU is requested, but none answers. */
  | "no-gpu"
  /** The CPU is requested in a process that already computes on the GPU. */
  | "gpu-in-use"
  /** There is no build for this operating system or processor. */
  | "unsupported-platform"
  /** Something could not be fetched or compiled. */
  | "install-failed"
  /** The installed libraries cannot be loaded here. */
  | "cannot-load"
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
  /** The parts of the message, for programs with their own wording. */
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
    super("Set-up stopped; the next run starts it again.", options);
  }
}

/** A function cannot be compiled or called with these arguments. The message has the reason and a remedy. */
export class CompileError extends Error {
  /** Tells it from other errors. */
  override name = "CompileError";
}
