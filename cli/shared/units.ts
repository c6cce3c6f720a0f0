/** Seconds as `mm:ss`, or `h:mm:ss` from an hour on; `--:--` while unknown. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "--:--";
  const whole = Math.max(0, Math.round(seconds));
  const two = (number: number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours > 0 ? `${hours}:` : ""}${two(minutes)}:${two(whole % 60)}`;
}

/** A share as per cent: 0.712 → `71.2 %`. */
export function formatPercent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** A learning rate: 0.0421, or 4.2e-7 where it is tiny. */
export function formatRate(rate: number): string {
  return rate === 0 || rate >= 0.001 ? rate.toFixed(4) : rate.toExponential(1);
}

/** A whole number with thousands separators: 3310 → `3,310`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-GB");
}

/** Bytes as kB, MB or GB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
