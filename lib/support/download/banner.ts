/**
 * Frames lines so that nobody overlooks them: for what changes the meaning of all that follows.
 *
 * @param lines What to say; long lines are wrapped.
 * @returns The frame as one text, without a final line break.
 *
 * @example
 * ```ts
 * import { formatBanner } from "./banner.ts";
 * console.error(formatBanner(["The machine is offline."]));
 * ```
 */
export function formatBanner(lines: string[]): string {
  const width = 96;
  const wrapped = lines.flatMap((line) => wrap(line, width));
  const rule = "*".repeat(width + 6);
  return ["", rule, ...wrapped.map((line) => `*  ${line.padEnd(width)}  *`), rule, ""].join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}
