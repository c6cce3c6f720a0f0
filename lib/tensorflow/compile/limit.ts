import { CompileError } from "./compile_error.ts";
import { describeLeaves, type Template } from "./template.ts";

/** How many values of an argument a message shows. */
const SHOWN = 3;

/**
 * Why a function would need one more graph than it may have: which argument keeps changing, and how.
 *
 * @param name What to call the function.
 * @param templates The structures of the arguments, the latest last.
 */
export function limitError(name: string, templates: readonly Template[]): CompileError {
  const values = new Map<string, Set<string>>(); // by place
  for (const template of templates) {
    describeLeaves(template, "arguments", (place, leaf) => {
      const seen = values.get(place) ?? new Set();
      values.set(place, seen.add(leaf));
    });
  }
  const [place, seen] = [...values].reduce((most, one) => one[1].size > most[1].size ? one : most);
  const shown = [...seen].slice(-SHOWN).join(", "), tensor = /^\w+\[[\d,]*\]$/.test([...seen].at(-1)!);
  const cure = tensor
    ? "Give it a few shapes only (the last batch filled up, or left out)"
    : "Pass what changes as a tensor (tf.scalar(value))";
  return new CompileError(
    `compile: ${name} would need more than ${
      templates.length - 1
    } graphs, one for each of ${seen.size} forms of ${place}: … ${shown}. ` +
      `${cure}, or raise the option graphs.`,
  );
}
