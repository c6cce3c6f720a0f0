/**
 * Writes every figure as SVG and PNG into a folder, to be looked at.
 *
 * Usage: `deno run -A tests/figures/preview.ts FOLDER [NAME…]`
 */
import { join } from "@std/path";
import { svgToPng } from "../../lib/figures/svg_to_png.ts";
import { FIGURES } from "./samples.ts";

if (import.meta.main) {
  const [folder, ...names] = Deno.args;
  await Deno.mkdir(folder, { recursive: true });
  for (const name of names.length > 0 ? names : Object.keys(FIGURES)) {
    const { svg } = FIGURES[name]();
    await Deno.writeTextFile(join(folder, `${name}.svg`), svg);
    await Deno.writeFile(join(folder, `${name}.png`), svgToPng(svg, { scale: 1.5 }));
    console.log(`${name}: ${svg.length} bytes`);
  }
}
