/** Formats a number with fixed decimals and a true minus sign. */
export function formatNumber(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text.replace("-", "−");
}

/** Formats a difference with fixed decimals and its sign: `+0.20`, `−1.20`, `0.00`. */
export function formatSigned(difference: number, decimals: number): string {
  const text = formatNumber(difference, decimals);
  return difference > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** Formats a fraction 0–1 as a percentage: `0.803` → `80.3 %`, with a non-breaking space. */
export function formatPercent(fraction: number, decimals = 1): string {
  return `${formatNumber(100 * fraction, decimals)}\u00a0%`;
}

/** Formats a whole number with thousands separators. */
export function formatCount(count: number): string {
  return count.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Formats a number of threads: "1 thread", "2 threads". */
export function formatThreads(threads: number): string {
  return `${threads} ${threads === 1 ? "thread" : "threads"}`;
}

/** Formats seconds as `mm:ss`, from an hour on as `h:mm:ss`; `--:--` while unknown. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "--:--";
  const whole = Math.max(0, Math.round(seconds));
  const two = (number: number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours > 0 ? `${hours}:` : ""}${two(minutes)}:${two(whole % 60)}`;
}

/** Formats a learning rate: `0.0421`, or `4.2e-7` where it is tiny. */
export function formatRate(rate: number): string {
  return rate === 0 || rate >= 0.001 ? rate.toFixed(4) : rate.toExponential(1);
}

/** Formats bytes as kB, MB or GB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Returns the least and the greatest finite value. */
export function extent(values: Iterable<number>): [number, number] {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

/** Control and format characters, line separators and lone surrogates: obeyed instead of shown. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Tells whether a text is one line that a terminal, a browser or a typesetter shows as it is. */
export function isPlainText(text: string): boolean {
  return text.search(UNPRINTABLE) === -1;
}

/** Replaces what a terminal would obey instead of showing it; line ends and tabs are kept. */
export function toPlainText(text: string): string {
  return text.replace(UNPRINTABLE, (found) => /[\n\t]/.test(found) ? found : "\ufffd");
}

/** Escapes text for a line of Markdown, so that it is printed literally: also in a table's cell. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*[\]<>|$~{}^&]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\$&");
}
