/** A figure of `lib/figures` without the title drawn in it, and what it said. */
export interface LiftedFigure {
  /** The picture alone. */
  svg: string;
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** What was drawn in bold above it. */
  title: string;
  /** What was drawn in grey above it. */
  subtitle: string;
  /** What can be seen, for those who cannot see it. */
  description: string;
}

const HEAD =
  /(<rect [^>]*rx="8"[^>]*\/>)((?:<text [^>]*>[^<]*<\/text>)*)(<g transform="translate\((\d+),([\d.]+)\)">)/;

/**
 * Takes title and subtitle out of a figure that `composeFigure` made, and closes the gap: a report says them in the caption.
 *
 * Another SVG stays as it is.
 */
export function liftTitle(svg: string): LiftedFigure {
  const [, width = "0", height = "0"] = /<svg [^>]*?width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  const title = unescape(/<title>([^<]*)<\/title>/.exec(svg)?.[1] ?? "");
  const description = unescape(/<desc>([^<]*)<\/desc>/.exec(svg)?.[1] ?? "");
  const figure = { svg, width: Number(width), height: Number(height), title, subtitle: "", description };
  const head = HEAD.exec(svg);
  if (head === null || figure.width === 0) return { ...figure, title: title === description ? "" : title };
  const lines = [...head[2].matchAll(/<text [^>]*?(font-weight="bold")?[^>]*>([^<]*)<\/text>/g)];
  const isBold = (line: RegExpMatchArray) => line[0].includes('font-weight="bold"');
  const join = (some: RegExpMatchArray[]) => unescape(some.map((line) => line[2]).join(" "));
  // the sheet's edge is the page's own: text and curves may begin where the prose does
  const [left, top] = [Number(head[4]), Number(head[5])];
  const margin = Math.min(left, top, 8);
  const box = {
    x: left - margin,
    y: top - margin,
    width: figure.width - 2 * (left - margin),
    height: figure.height - (top - margin) - (left - margin),
  };
  return {
    ...figure,
    width: box.width,
    height: box.height,
    title: join(lines.filter(isBold)),
    subtitle: join(lines.filter((line) => !isBold(line))),
    svg: svg.replace(head[0], head[3])
      .replace(
        /(<svg [^>]*?)width="[\d.]+" height="[\d.]+" viewBox="[^"]*"/,
        (_, start) =>
          `${start}width="${box.width}" height="${box.height}" viewBox="${box.x} ${box.y} ${box.width} ${box.height}"`,
      ),
  };
}

function unescape(text: string): string {
  const names: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => names[name]);
}
