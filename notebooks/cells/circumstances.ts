import { formatCount } from "../../lib/support/format.ts";

/** What a notebook's numbers depend on, as its first output says. */
export interface Circumstances {
  /** The data set's name. */
  data: string;
  /** What the backbone starts from. */
  weights: string;
  /** What computes: `CPU, TensorFlow 2.21.0`. */
  runtime: string;
  /** Training and test images. */
  sizes: readonly [train: number, test: number];
  /** Whether it is a trial of the machinery. */
  quick: boolean;
}

const TRIAL = "**a quick trial: the numbers mean nothing**";

/** The line that every notebook begins with. */
export function formatCircumstances({ data, weights, runtime, sizes, quick }: Circumstances): string {
  const images = `${sizes.map(formatCount).join(" + ")} images`;
  return [`Data: ${data}, ${images}`, `weights: ${weights}`, runtime, ...(quick ? [TRIAL] : [])].join(" · ");
}

/**
 * Reads what {@linkcode formatCircumstances} wrote; null for any other text.
 *
 * The report says on every page if a notebook of it was executed on synthetic data, and knows it from here.
 */
export function parseCircumstances(text: string): Pick<Circumstances, "data" | "quick"> | null {
  const found = /^Data: (.+), [\d,]+ \+ [\d,]+ images · weights: /.exec(text.trim());
  return found === null ? null : { data: found[1], quick: text.includes(TRIAL) };
}
