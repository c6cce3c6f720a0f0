import { CLASS_NAMES } from "../data/dataset.ts";
import type { Figure } from "../figures/figure.ts";
import { textWidth } from "../figures/fonts.ts";
import { type ResponseExample, responseMaps } from "../figures/response_maps.ts";
import { type FigureOptions, FONT_SIZE } from "../figures/style.ts";
import { MAP_SIZE } from "../model/spec.ts";
import type { Prediction } from "./classify.ts";

/** Maximum number of pictures on one page. */
export const MAXIMUM_PICTURES_ON_PAGE = 40;

/** A picture and its prediction. */
export interface PredictedPicture {
  /** Bytes `[32,32,3]`. */
  pixels: Uint8Array;
  /** Label in the figure. */
  label: string;
  prediction: Prediction;
  /** Evidence for each class `[K,8,8]`, drawn below the maps. */
  evidence?: Float32Array;
  /** True class, if known. */
  trueClass?: number;
}

/** Width of a picture's label in pixels: alone, and on a page. */
const [ROOM_ALONE, ROOM_ON_PAGE] = [112, 58];

/**
 * Draws pictures with their response maps: one picture large, several as a page of at most
 * {@linkcode MAXIMUM_PICTURES_ON_PAGE}.
 */
export function drawMapsFigure(
  pictures: readonly PredictedPicture[],
  options: FigureOptions & { classNames?: readonly string[] } = {},
): Figure {
  const isAlone = pictures.length === 1;
  const [width, font] = isAlone ? [ROOM_ALONE, FONT_SIZE.label] : [ROOM_ON_PAGE, FONT_SIZE.small];
  const examples = pictures.slice(0, MAXIMUM_PICTURES_ON_PAGE)
    .map((picture) => ({ ...toExample(picture), label: shorten(picture.label, width, font) }));
  const isShared = pictures[0].prediction.maps.length === MAP_SIZE * MAP_SIZE;
  const note = "This network has one map for all classes, which is shown once for each.";
  const subtitle = [options.subtitle, isShared && note].filter(Boolean).join(" ");
  return responseMaps(examples, { classNames: CLASS_NAMES, ...options, subtitle });
}

function toExample({ pixels, prediction, evidence, trueClass }: PredictedPicture): ResponseExample {
  const { maps, scores, probabilities } = prediction;
  const length = MAP_SIZE * MAP_SIZE;
  const each = Array.from({ length: scores.length }, (_, label) => {
    const start = label * length % maps.length;
    return maps.subarray(start, start + length);
  });
  return { image: pixels, maps: each, evidence, scores, probabilities, trueClass };
}

/** Shortens a label to fit: drops the extension, then the middle, since file names differ at the ends. */
function shorten(label: string, width: number, fontSize: number): string {
  const fits = (text: string) => textWidth(text, fontSize, "bold") <= width;
  if (fits(label)) return label;
  const characters = [...label.replace(/\.\w+$/, "")];
  let short = characters.join("");
  for (let kept = characters.length - 1; kept > 1 && !fits(short); kept--) {
    const head = Math.floor(kept / 2);
    short = `${characters.slice(0, head).join("")}…${characters.slice(head - kept).join("")}`;
  }
  return short;
}
