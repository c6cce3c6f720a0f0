import { createLiveLine, fitLine, type LiveLineOptions } from "./live_line.ts";
import { formatBytes, formatDuration } from "./units.ts";

/** Shows a download on standard error. */
export interface DownloadProgress {
  /** Takes what the download tells: bytes there, and of how many where that is known. */
  onDownload(bytes: number, total?: number): void;
  /** Takes the bar away; call it also when the download failed. */
  close(): void;
}

/**
 * Shows a download: a live bar on a terminal, else one line at the start.
 *
 * @param label What is fetched: `CIFAR-10`.
 */
export function createDownloadProgress(label: string, options: LiveLineOptions = {}): DownloadProgress {
  const line = createLiveLine(options);
  const now = options.now ?? (() => performance.now());
  let start: { time: number; bytes: number } | null = null;
  return {
    onDownload(bytes, total) {
      if (start === null) {
        start = { time: now(), bytes };
        if (!line.interactive) {
          line.print(`${label}: fetching${total === undefined ? "" : ` ${formatBytes(total)}`}`);
        }
      }
      const seconds = (now() - start.time) / 1000;
      // a part that was there already must not count as speed
      const speed = seconds > 0.5 ? (bytes - start.bytes) / seconds : 0;
      const parts = [
        { text: label, rank: 0 },
        { text: total === undefined ? "" : `${Math.floor(bytes / total * 100)} %`.padStart(5), rank: 1 },
        { text: formatBytes(bytes) + (total === undefined ? "" : ` of ${formatBytes(total)}`), rank: 2 },
        { text: speed > 0 ? `${formatBytes(speed)}/s` : "", rank: 3 },
        {
          text: total !== undefined && speed > 0 ? `${formatDuration((total - bytes) / speed)} left` : "",
          rank: 4,
        },
      ];
      const done = total === undefined ? 0 : bytes / total;
      line.draw((columns) => fitLine(parts, { done, color: line.color, before: 1 }, columns));
    },
    close() {
      line.clear();
    },
  };
}
