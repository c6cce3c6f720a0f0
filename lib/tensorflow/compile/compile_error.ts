/** A function cannot be compiled, or not be called like this. The message says which part of it, why, and the cure. */
export class CompileError extends Error {
  override name = "CompileError";
}
