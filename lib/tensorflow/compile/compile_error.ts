/** A function cannot be compiled, or not be called like this. The message says which part of it, why, and the cure. */
export class CompileError extends Error {
  /** The name it goes by in messages. */
  override name = "CompileError";
}
