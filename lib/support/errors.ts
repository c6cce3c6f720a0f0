/**
 * What the user gave (a file, an option, a machine without the thing asked for) cannot be used.
 *
 * Its message is one complete sentence that says what could not be done, why, and what to do next. The command line prints it
 * without a stack and ends with exit code 2.
 */
export class InputError extends Error {
  /** The name it goes by in messages. */
  override name = "InputError";
}
