/** A terminal that knows the control sequences live lines use, with a clock that the test moves. */
export function createTerminal({ interactive = true, columns = 120, rows = 30 } = {}) {
  const lines: string[] = [""];
  const clock = { milliseconds: 0 };
  let [row, column] = [0, 0];
  const write = (text: string) => {
    // deno-lint-ignore no-control-regex
    for (const [token, count, code] of text.matchAll(/\x1b\[\??(\d*)([A-Za-z])|[^]/gu)) {
      if (code === "A") row -= Number(count || 1);
      else if (code === "B") row += Number(count || 1);
      else if (code === "G" || token === "\r") column = 0;
      else if (code === "K") lines[row] = count === "2" ? "" : lines[row].slice(0, column);
      else if (token === "\n") [row, column] = [row + 1, 0];
      else if (code === undefined) {
        lines[row] = lines[row].padEnd(column).slice(0, column) + token + lines[row].slice(++column);
      }
      lines[row] ??= "";
    }
  };
  return {
    clock,
    write,
    /** All lines, those that scrolled away included. */
    lines: () => lines.join("\n").trimEnd().split("\n"),
    last: () => lines.join("\n").trimEnd().split("\n").at(-1)!,
    options: {
      stream: {
        writeSync: (bytes: Uint8Array) => (write(new TextDecoder().decode(bytes)), bytes.length),
        isTerminal: () => interactive,
      },
      interactive,
      size: () => ({ columns, rows }),
      width: () => columns,
      color: false,
      now: () => clock.milliseconds,
    },
  };
}
