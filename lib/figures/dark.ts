import { BLUE, FROZEN, GREEN, ORANGE, PREDICTED_BAR, PROBABILITY_BAR, WIRE } from "./diagram_shapes.ts";
import { FAINT, GREY, INK, MUTED, PAPER, PREDICTED_COLOUR, TRUE_COLOUR } from "./style.ts";

/** Colours on a dark page. */
const DARK = {
  [PAPER]: "#0d1117", // GitHub's
  [INK]: "#e6edf3",
  [MUTED]: "#9eabb9",
  [FAINT]: "#2c343e",
  [GREY]: "#6e7a88",
  [WIRE]: "#46525f",
  [PREDICTED_COLOUR]: "#ff8f45",
  [TRUE_COLOUR]: "#5ab1ea",
  [GREEN.stroke]: "#35c79c",
  [FROZEN.stroke]: "#8894a2",
  [BLUE.fill]: "#12263a",
  [ORANGE.fill]: "#33200f",
  [GREEN.fill]: "#0e2b23",
  [FROZEN.fill]: "#20262e",
  [PREDICTED_BAR]: "#7c3f12",
  [PROBABILITY_BAR]: "#1f4c3e",
};

/**
 * Gives a figure a second set of colours for pages that are dark, such as GitHub's: the viewer chooses. Not
 * for notebooks and print, where the sheet stays white whatever the system prefers.
 */
export function adaptToDark(svg: string): string {
  const rules = Object.entries(DARK)
    .map(([light, dark]) => `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`);
  return svg.replace("</desc>", `</desc><style>@media(prefers-color-scheme:dark){${rules.join("")}}</style>`);
}
