import { createRandom, type Random } from "../support/random.ts";
import { CLASS_NAMES, type Dataset, type Datasets, IMAGE_BYTES, IMAGE_SIZE } from "./dataset.ts";
import { type Colour, type Drawing, DRAWINGS } from "./synthetic_shapes.ts";

/** Options of {@linkcode createSynthetic}. */
export interface SyntheticOptions {
  /** Images to learn from. @default {10000} */
  trainSize?: number;
  /** Images to be tested on. @default {2000} */
  testSize?: number;
  /** How much the pictures of a class differ from each other; 0 shows the plain drawings. @default {DIFFICULTY} */
  difficulty?: number;
}

/** Set so that the network reaches some 80 % after four epochs rather than 100 % after one. */
export const DIFFICULTY = 1;

/** How every output that depends on it names this data set. */
export const SYNTHETIC_NAME = "synthetic";

/**
 * Draws a data set in memory that stands in for CIFAR-10: the ten classes as drawings, turned, bent, coloured, half hidden, on a
 * cloudy ground, with noise. Always the same, as long as the sizes are.
 *
 * @example
 * ```ts
 * import { createSynthetic } from "./synthetic.ts";
 * const { train, test } = createSynthetic({ trainSize: 100, testSize: 20 });
 * console.log(train.labels.length, test.images.length === 20 * 32 * 32 * 3);
 * ```
 */
export function createSynthetic(
  { trainSize = 10_000, testSize = 2_000, difficulty = DIFFICULTY }: SyntheticOptions = {},
): Datasets {
  const stencils = DRAWINGS.map(createStencil);
  return {
    train: drawDataset(stencils, trainSize, 0, difficulty),
    test: drawDataset(stencils, testSize, 1, difficulty),
  };
}

const SYNTHETIC = 0x73796e74; // keeps these draws apart from others

function drawDataset(stencils: Float32Array[], size: number, part: number, difficulty: number): Dataset {
  const images = new Uint8Array(size * IMAGE_BYTES);
  const order = Uint32Array.from({ length: size }, (_, index) => index % CLASS_NAMES.length);
  createRandom(SYNTHETIC, part).shuffle(order);
  for (let index = 0; index < size; index++) {
    drawImage(images, index, stencils, order[index], createRandom(SYNTHETIC, part, index), difficulty);
  }
  return { name: SYNTHETIC_NAME, images, labels: Uint8Array.from(order) };
}

const STENCIL_SIZE = 64;
const SAMPLES = 3; // a stencil's pixel is covered by so many ninths
const STENCIL_REACH = 1.05; // a stencil shows −1.05 … 1.05, so that its edge is empty

/** How much of each pixel the body and the detail cover: `[64,64,2]`, 0–1. */
function createStencil({ body, detail }: Drawing): Float32Array {
  const stencil = new Float32Array(STENCIL_SIZE * STENCIL_SIZE * 2);
  const count = STENCIL_SIZE * SAMPLES;
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      const x = ((column + 0.5) / count * 2 - 1) * STENCIL_REACH;
      const y = ((row + 0.5) / count * 2 - 1) * STENCIL_REACH;
      const at = (Math.floor(row / SAMPLES) * STENCIL_SIZE + Math.floor(column / SAMPLES)) * 2;
      if (body.some((shape) => shape(x, y))) stencil[at] += 1 / (SAMPLES * SAMPLES);
      if (detail.some((shape) => shape(x, y))) stencil[at + 1] += 1 / (SAMPLES * SAMPLES);
    }
  }
  return stencil;
}

/** Draws an image: ground, distractions, the class's drawing, something in front of it, noise. */
function drawImage(
  images: Uint8Array,
  index: number,
  stencils: Float32Array[],
  label: number,
  random: Random,
  difficulty: number,
): void {
  const canvas = new Float32Array(IMAGE_BYTES);
  const typical = DRAWINGS[label];
  const ground = random.next() < TYPICAL ? vary(typical.ground, random) : drawColour(random);
  fillGround(canvas, ground, drawColour(random), random);
  let body = vary(typical.colour, random);
  if (random.next() >= TYPICAL || !isContrast(body, ground)) body = drawContrast(random, ground);
  const detail = drawContrast(random, body);
  // parts of other drawings, small and faint, as things in the distance
  for (let count = random.integer(3); count > 0; count--) {
    const other = stencils[random.integer(stencils.length)];
    const colour = drawColour(random);
    paint(canvas, other, colour, colour, drawPose(random, difficulty, 0.3, 1.2), 0.35 * difficulty);
  }
  paint(canvas, stencils[label], body, detail, drawPose(random, difficulty, 0.8, 0.45), 1);
  if (random.next() < 0.35 * difficulty) hide(canvas, drawColour(random), random);
  const light = 1 + (random.next() - 0.5) * 0.5 * difficulty;
  addNoise(canvas, images, index * IMAGE_BYTES, light, (10 + 50 * random.next()) * difficulty, random);
}

/** How often a class's ground, and its body, have the colour that is typical of it. */
const TYPICAL = 0.5;

function vary(colour: Colour, random: Random): Colour {
  const shade = (value: number) => Math.min(255, Math.max(0, value + (random.next() - 0.5) * 80));
  return [shade(colour[0]), shade(colour[1]), shade(colour[2])];
}

function drawColour(random: Random): Colour {
  const grey = 40 + 175 * random.next();
  const strength = 110 * random.next();
  const shade = () => Math.min(255, Math.max(0, grey + (random.next() - 0.5) * 2 * strength));
  return [shade(), shade(), shade()];
}

/** Draws until the colour differs enough from another to be seen. */
function drawContrast(random: Random, other: Colour): Colour {
  while (true) {
    const colour = drawColour(random);
    if (isContrast(colour, other)) return colour;
  }
}

function isContrast(one: Colour, two: Colour): boolean {
  return Math.abs(one[0] - two[0]) + Math.abs(one[1] - two[1]) + Math.abs(one[2] - two[2]) > 130;
}

const LATTICE = 5;

/** Clouds of two colours: random heights on a lattice, interpolated. */
function fillGround(canvas: Float32Array, one: Colour, two: Colour, random: Random): void {
  const heights = Float32Array.from({ length: LATTICE * LATTICE }, () => random.next());
  const scale = (LATTICE - 1) / IMAGE_SIZE;
  for (let y = 0, at = 0; y < IMAGE_SIZE; y++) {
    const row = Math.floor(y * scale);
    const down = y * scale - row;
    for (let x = 0; x < IMAGE_SIZE; x++, at += 3) {
      const column = Math.floor(x * scale);
      const right = x * scale - column;
      const corner = row * LATTICE + column;
      const above = heights[corner] + (heights[corner + 1] - heights[corner]) * right;
      const below = heights[corner + LATTICE] +
        (heights[corner + LATTICE + 1] - heights[corner + LATTICE]) * right;
      const share = 0.8 * (above + (below - above) * down);
      for (let channel = 0; channel < 3; channel++) {
        canvas[at + channel] = one[channel] + (two[channel] - one[channel]) * share;
      }
    }
  }
}

/** Where a drawing goes: image coordinates (−1 … 1) to the stencil's, `u = a·x + b·y + left + bend·y²`, `v = c·x + d·y + top`. */
interface Pose {
  a: number;
  b: number;
  c: number;
  d: number;
  left: number;
  top: number;
  bend: number;
}

/** Draws size, turn, shear, mirror, place and bend. Only exact arithmetic: no two machines draw a different picture. */
function drawPose(random: Random, difficulty: number, size: number, reach: number): Pose {
  const spread = (width: number) => (random.next() * 2 - 1) * width * difficulty;
  const half = spread(0.25); // the tangent of half the angle: up to ±28°
  const [cosine, sine] = [(1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)];
  const mirror = random.next() < 0.5 && difficulty > 0 ? -1 : 1;
  const zoomX = 1 / (size + spread(size * 0.3));
  const zoomY = 1 / (size + spread(size * 0.3));
  const shear = spread(0.25);
  const [x, y] = [spread(reach), spread(reach)];
  const a = mirror * zoomX * (cosine + shear * sine);
  const b = mirror * zoomX * (sine - shear * cosine);
  const [c, d] = [-zoomY * sine, zoomY * cosine];
  return { a, b, c, d, left: -(a * x + b * y), top: -(c * x + d * y), bend: spread(0.2) };
}

function paint(
  canvas: Float32Array,
  stencil: Float32Array,
  body: Colour,
  detail: Colour,
  pose: Pose,
  opacity: number,
): void {
  const { a, b, c, d, left, top, bend } = pose;
  const scale = STENCIL_SIZE / (2 * STENCIL_REACH);
  for (let row = 0, at = 0; row < IMAGE_SIZE; row++) {
    const y = (row + 0.5) * 2 / IMAGE_SIZE - 1;
    for (let column = 0; column < IMAGE_SIZE; column++, at += 3) {
      const x = (column + 0.5) * 2 / IMAGE_SIZE - 1;
      const v = c * x + d * y + top;
      const u = a * x + b * y + left + bend * v * v;
      const across = (u + STENCIL_REACH) * scale - 0.5;
      const down = (v + STENCIL_REACH) * scale - 0.5;
      if (!(across >= 0 && down >= 0 && across < STENCIL_SIZE - 1 && down < STENCIL_SIZE - 1)) continue;
      // bilinear: four neighbours, two layers
      const [i, j] = [across | 0, down | 0];
      const [right, below] = [across - i, down - j];
      const one = (j * STENCIL_SIZE + i) * 2;
      const two = one + STENCIL_SIZE * 2;
      const [w1, w2] = [(1 - right) * (1 - below), right * (1 - below)];
      const [w3, w4] = [(1 - right) * below, right * below];
      const bodyShare = opacity *
        (stencil[one] * w1 + stencil[one + 2] * w2 + stencil[two] * w3 + stencil[two + 2] * w4);
      const detailShare = opacity *
        (stencil[one + 1] * w1 + stencil[one + 3] * w2 + stencil[two + 1] * w3 + stencil[two + 3] * w4);
      for (let channel = 0; channel < 3; channel++) {
        let value = canvas[at + channel];
        value += (body[channel] - value) * bodyShare;
        value += (detail[channel] - value) * detailShare;
        canvas[at + channel] = value;
      }
    }
  }
}

/** Puts a slanting bar in front. */
function hide(canvas: Float32Array, colour: Colour, random: Random): void {
  const slope = random.next() * 2 - 1;
  const upright = random.next() < 0.5;
  const place = random.next() * IMAGE_SIZE;
  const width = 2 + random.next() * 4;
  for (let y = 0, at = 0; y < IMAGE_SIZE; y++) {
    for (let x = 0; x < IMAGE_SIZE; x++, at += 3) {
      const [along, across] = upright ? [y, x] : [x, y];
      const distance = across - place - slope * (along - IMAGE_SIZE / 2);
      if (distance < 0 || distance > width) continue;
      for (let channel = 0; channel < 3; channel++) canvas[at + channel] = colour[channel];
    }
  }
}

function addNoise(
  canvas: Float32Array,
  images: Uint8Array,
  start: number,
  light: number,
  amount: number,
  random: Random,
): void {
  let state = Math.floor(random.next() * 0x1_0000_0000) | 0;
  const scale = amount / 256;
  for (let at = 0; at < IMAGE_BYTES; at += 3) {
    state = Math.imul(state, 1664525) + 1013904223 | 0; // one step a pixel: its upper three bytes are random enough to look at
    for (let channel = 0; channel < 3; channel++) {
      const noise = ((state >>> (24 - 8 * channel) & 255) - 127.5) * scale;
      const value = canvas[at + channel] * light + noise;
      images[start + at + channel] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
  }
}
