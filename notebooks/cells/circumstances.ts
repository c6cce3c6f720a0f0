import { formatCount } from "../../lib/support/format.ts";
import type { Circumstances } from "./display.ts";

const TRIAL = "**a quick trial: the numbers mean nothing**";

/** The line that every notebook begins with. */
export function formatCircumstances({ data, weights, runtime, sizes, quick }: Circumstances): string {
  const images = `${sizes.map(formatCount).join(" + ")} images`;
  return [`Data: ${data}, ${images}`, `weights: ${weights}`, runtime, ...(quick ? [TRIAL] : [])].join(" · ");
}
