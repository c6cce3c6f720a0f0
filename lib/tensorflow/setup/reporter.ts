/** Where set-up tells what it does. */
export interface SetupReporter {
  /** A line that stays. */
  line(text: string): void;
  /** How far the last line's work has come, several times a second; the next one replaces it. Left out: a line every 15 s. */
  live?(text: string): void;
}

/** Lines on standard error, for programs that draw nothing. */
export const STDERR_REPORTER: SetupReporter = { line: (text) => console.error(text) };

const MILLISECONDS_BETWEEN_LOOKS = 200;
const MILLISECONDS_BETWEEN_LINES = 15_000;

/** Tells how far `work` has come while it runs, with the seconds since it began. */
export async function withProgress<T>(
  reporter: SetupReporter,
  state: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  let nextLine = MILLISECONDS_BETWEEN_LINES;
  const timer = setInterval(() => {
    const passed = performance.now() - start;
    const text = `  ${state()} · ${Math.floor(passed / 1000)} s`;
    if (reporter.live !== undefined) return reporter.live(text);
    if (passed < nextLine) return;
    nextLine += MILLISECONDS_BETWEEN_LINES;
    reporter.line(text);
  }, MILLISECONDS_BETWEEN_LOOKS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
