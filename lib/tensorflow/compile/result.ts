import { CompileError } from "./compile_error.ts";
import { type Numbering, readTemplate, type Template } from "./template.ts";

/**
 * The structure of what a function returned.
 *
 * @param name What to call the function in a message.
 * @param numbering Gets the tensors found.
 * @throws {CompileError} Where it is a promise, or holds what a graph cannot give.
 */
export function readResult(result: unknown, name: string, numbering: Numbering): Template {
  if (typeof (result as PromiseLike<unknown> | null)?.then === "function") {
    (result as PromiseLike<unknown>).then(undefined, () => {}); // it fails later, for this error's reason
    throw new CompileError(
      `compile: ${name} returns a promise. Make it an ordinary function that returns tensors, and await their values after the call.`,
    );
  }
  return readTemplate(result, `the result of ${name}`, numbering, "result");
}
