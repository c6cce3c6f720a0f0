/**
 * Example pictures, drawn in code: a picture of CIFAR-10 is not ours to give away. Each is drawn at a time,
 * so that it can move.
 *
 * @module
 */
import { IMAGE_SIZE } from "../lib/data/dataset.ts";
import type { Source } from "./app.ts";
import { preparePixels } from "./prepare.ts";

type Context = OffscreenCanvasRenderingContext2D;

/** Side of the drawings in pixels: four for each that the network sees. */
const SIZE = 128;

/** Example pictures: names, and how each is drawn on a square of side 100 at a time in seconds. */
export const EXAMPLES: readonly { name: string; draw(context: Context, seconds: number): void }[] = [
  { name: "ship", draw: drawShip },
  { name: "airplane", draw: drawAirplane },
  { name: "automobile", draw: drawCar },
  { name: "truck", draw: drawTruck },
  { name: "frog", draw: drawFrog },
  { name: "horse", draw: drawHorse },
];

/** Names the source of an example. */
export function exampleName(number: number): string {
  const { name } = EXAMPLES[number];
  return `a drawing of ${/^a/.test(name) ? "an" : "a"} ${name}`;
}

/** Creates the source of an example. @param moves True if it moves by itself. */
export function exampleSource(number: number, moves: boolean): Source {
  const { draw } = EXAMPLES[number];
  const context = new OffscreenCanvas(SIZE, SIZE).getContext("2d")!;
  const start = performance.now();
  return {
    name: exampleName(number),
    moves,
    frame(milliseconds) {
      context.save();
      context.scale(SIZE / 100, SIZE / 100);
      draw(context, moves ? Math.max(0, milliseconds - start) / 1000 : 0);
      context.restore();
      return preparePixels(context.canvas, { width: 2 * IMAGE_SIZE, height: 2 * IMAGE_SIZE });
    },
  };
}

/** Fills a band of the square with a vertical gradient. */
function band(context: Context, top: number, bottom: number, from: string, to: string): void {
  const gradient = context.createLinearGradient(0, top, 0, bottom);
  gradient.addColorStop(0, from);
  gradient.addColorStop(1, to);
  context.fillStyle = gradient;
  context.fillRect(0, top, 100, bottom - top);
}

/** Fills a polygon or, with `smooth`, a blob through the corners. */
function shape(context: Context, colour: string, points: readonly number[], smooth = false): void {
  context.fillStyle = colour;
  context.beginPath();
  const count = points.length / 2;
  const corner = (index: number) => [points[2 * (index % count)], points[2 * (index % count) + 1]];
  const [lastX, lastY] = corner(count - 1), [firstX, firstY] = corner(0);
  if (smooth) context.moveTo((lastX + firstX) / 2, (lastY + firstY) / 2);
  for (let index = 0; index < count; index++) {
    const [x, y] = corner(index), [nextX, nextY] = corner(index + 1);
    if (smooth) context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    else context.lineTo(x, y);
  }
  context.fill();
}

function disc(context: Context, colour: string, x: number, y: number, radius: number, flat = 1): void {
  context.fillStyle = colour;
  context.beginPath();
  context.ellipse(x, y, radius, radius * flat, 0, 0, 2 * Math.PI);
  context.fill();
}

function drawShip(context: Context, seconds: number): void {
  band(context, 0, 58, "#8fb8dc", "#d8e6ef");
  band(context, 58, 100, "#4d7d9e", "#1f4a6b");
  context.translate(8 * Math.sin(seconds / 1.7), 1.5 * Math.sin(seconds * 1.3));
  shape(context, "#27303c", [8, 52, 92, 52, 82, 72, 17, 72]);
  shape(context, "#a03a2e", [14, 66, 85, 66, 82, 72, 17, 72]);
  shape(context, "#f1f1ee", [22, 40, 76, 40, 79, 53, 20, 53]);
  shape(context, "#dfe2e4", [30, 30, 62, 30, 64, 41, 29, 41]);
  shape(context, "#b5402f", [48, 16, 57, 16, 58, 31, 47, 31]);
  for (let x = 27; x < 74; x += 8) shape(context, "#41566b", [x, 44, x + 4, 44, x + 4, 48, x, 48]);
  context.fillStyle = "#e8eef2";
  context.fillRect(10, 72, 78, 1.5);
}

function drawAirplane(context: Context, seconds: number): void {
  band(context, 0, 100, "#5f9bd6", "#cfe2f2");
  context.translate(50 + 6 * Math.sin(seconds), 50 + 4 * Math.sin(seconds * 0.7));
  context.rotate(-0.12 + 0.05 * Math.sin(seconds * 0.9));
  shape(context, "#e9edf1", [-46, 2, -38, -5, 30, -6, 43, -1, 46, 3, 38, 7, -34, 8], true);
  shape(context, "#c2cad2", [-44, 0, -47, -20, -38, -20, -27, -3]);
  shape(context, "#9aa5b1", [-8, 3, 12, 3, -14, 26, -22, 26]);
  shape(context, "#b4bec8", [-2, -5, 10, -5, -8, -19, -14, -19]);
  shape(context, "#4a5a6a", [34, -4, 40, -2, 40, 0, 33, 0]);
}

function drawCar(context: Context, seconds: number): void {
  band(context, 0, 45, "#b9c9d4", "#dde3e4");
  band(context, 40, 100, "#8d8f8f", "#6b6c6d");
  context.translate(5 * Math.sin(seconds / 1.3), 0);
  shape(context, "#4c4d4f", [10, 78, 92, 78, 88, 84, 14, 84]);
  shape(context, "#c2261f", [6, 56, 22, 50, 78, 50, 93, 58, 95, 74, 92, 78, 8, 78, 5, 72]);
  shape(context, "#a71d18", [24, 51, 36, 33, 65, 33, 79, 51]);
  shape(context, "#33475a", [29, 50, 38, 37, 49, 37, 49, 50]);
  shape(context, "#3b5064", [52, 50, 52, 37, 63, 37, 72, 50]);
  for (const x of [25, 76]) {
    disc(context, "#17181a", x, 77, 10);
    disc(context, "#b9bec3", x, 77, 4.5);
  }
  shape(context, "#f4e6b0", [90, 60, 95, 62, 95, 66, 89, 66]);
}

function drawTruck(context: Context, seconds: number): void {
  band(context, 0, 62, "#a9c3d8", "#d9e0df");
  band(context, 60, 100, "#7b7a76", "#5d5c5a");
  context.translate(4 * Math.sin(seconds / 1.5), 0);
  shape(context, "#e9e9e4", [3, 18, 64, 18, 64, 70, 3, 70]);
  shape(context, "#c9cac6", [3, 60, 64, 60, 64, 70, 3, 70]);
  shape(context, "#2f5d9c", [66, 34, 84, 34, 93, 52, 95, 74, 66, 74]);
  shape(context, "#26323f", [71, 39, 82, 39, 88, 52, 71, 52]);
  shape(context, "#35373a", [3, 70, 95, 70, 95, 77, 3, 77]);
  for (const x of [16, 34, 79]) {
    disc(context, "#151618", x, 78, 9);
    disc(context, "#9fa4a8", x, 78, 4);
  }
}

function drawFrog(context: Context, seconds: number): void {
  band(context, 0, 100, "#8a7a55", "#5d5138");
  const breath = Math.sin(seconds * 2);
  for (const side of [-1, 1]) {
    shape(context, "#4f7a2c", [
      50 + 18 * side,
      60,
      50 + 46 * side,
      58,
      50 + 40 * side,
      86,
      50 + 16 * side,
      82,
    ], true);
    disc(context, "#587f30", 50 + 17 * side, 85, 9, 0.5);
  }
  disc(context, "#6d9a3a", 50, 62, 28 + breath, 0.86);
  disc(context, "#9db966", 50, 72, 18 + breath, 0.6);
  disc(context, "#76a541", 50, 42, 24, 0.66);
  for (const side of [-1, 1]) {
    disc(context, "#76a541", 50 + 15 * side, 28, 9);
    disc(context, "#d9c25a", 50 + 15 * side, 28, 6);
    disc(context, "#12160c", 50 + 15 * side, 28, 3.4);
  }
  shape(context, "#3d5a20", [32, 47, 50, 51, 68, 47, 50, 54]);
}

function drawHorse(context: Context, seconds: number): void {
  band(context, 0, 48, "#b7cfdf", "#dfe6e0");
  band(context, 45, 100, "#7e9a4a", "#56722f");
  const nod = 2 * Math.sin(seconds * 1.5);
  for (const x of [27, 35, 61, 68]) shape(context, "#4b2d18", [x, 58, x + 6, 58, x + 5, 90, x + 1, 90]);
  shape(context, "#6b4022", [20, 44, 36, 40, 62, 42, 74, 44, 74, 62, 58, 66, 34, 66, 22, 62], true);
  shape(context, "#6b4022", [60, 48, 72, 60, 82, 30 + nod, 78, 14 + nod, 70, 18 + nod]);
  shape(context, "#744726", [70, 14 + nod, 82, 11 + nod, 95, 31 + nod, 90, 37 + nod, 78, 28 + nod]);
  shape(context, "#2c1a0d", [58, 44, 68, 16 + nod, 76, 10 + nod, 70, 30 + nod, 64, 48]);
  shape(context, "#2c1a0d", [22, 44, 14, 50, 12, 74, 18, 72, 24, 52]);
}
