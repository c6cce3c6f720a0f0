import assert from "node:assert/strict";
import { IMAGE_BYTES, IMAGE_SIZE } from "../../lib/data/dataset.ts";
import { InputError } from "../../lib/support/errors.ts";
import { type Fit, preparePicture } from "../../lib/prediction/prepare_picture.ts";
import { createRandom } from "../../lib/support/random.ts";
import { claimSize, type Colour, encodePicture, paintCorners, storeRotated } from "../testing/pictures.ts";

const FORMATS = ["png", "jpeg", "webp"] as const;

/** The colour at (x, y) of 32×32. */
function at(pixels: Uint8Array, x: number, y: number): number[] {
  const start = 3 * (y * IMAGE_SIZE + x);
  return [...pixels.subarray(start, start + 3)];
}

function assertNear(actual: number[], expected: Colour, what: string): void {
  const isNear = actual.every((value, channel) => Math.abs(value - expected[channel]!) <= 12);
  assert(isNear, `${what}: ${actual} and not ${expected}`);
}

Deno.test("a picture of 32×32 is not changed", async () => {
  const random = createRandom(2);
  const bytes = Uint8Array.from({ length: IMAGE_BYTES }, () => random.integer(256));
  const png = await encodePicture(32, 32, (x, y) => at(bytes, x, y) as unknown as Colour);
  for (const fit of ["crop", "pad", "stretch"] as const) {
    const { pixels, isTransparent } = await preparePicture(png, { fit });
    assert.deepEqual([...pixels], [...bytes]);
    assert.equal(isTransparent, false);
  }
});

for (const format of FORMATS) {
  Deno.test(`a ${format} picture is rotated by each of EXIF's eight orientations`, async () => {
    const [width, height] = [96, 64];
    for (let orientation = 1; orientation <= 8; orientation++) {
      const stored = orientation >= 5 ? [height, width] : [width, height];
      const paint = storeRotated(paintCorners(width, height), width, height, orientation);
      const picture = await encodePicture(stored[0], stored[1], paint, { format, orientation });
      for (const fit of ["crop", "pad", "stretch"] as const) {
        const prepared = await preparePicture(picture, { fit });
        const what = `${format} ${orientation} ${fit}`;
        assert.deepEqual([prepared.width, prepared.height], [width, height], what);
        for (const [x, y] of [[6, 12], [26, 12], [6, 20], [26, 20]]) {
          assertNear(at(prepared.pixels, x, y), paintCorners(32, 32)(x, y), `${what} (${x}, ${y})`);
        }
        const edge: Colour = fit === "pad" ? [0, 0, 0] : [255, 0, 0];
        assertNear(at(prepared.pixels, 2, 2), edge, `${what} upper edge`);
      }
    }
  });
}

Deno.test("crop takes the middle, pad adds black bars, stretch keeps everything", async () => {
  // red | green | blue, each a third of the width
  const paint = (x: number): Colour => x < 40 ? [255, 0, 0] : x < 80 ? [0, 255, 0] : [0, 0, 255];
  const picture = await encodePicture(120, 40, paint);
  const look = async (fit: Fit) => {
    const { pixels } = await preparePicture(picture, { fit });
    return [[2, 16], [16, 16], [29, 16], [16, 2], [16, 29]].map(([x, y]) => at(pixels, x, y).join());
  };
  const [red, green, blue, black] = ["255,0,0", "0,255,0", "0,0,255", "0,0,0"];
  assert.deepEqual(await look("crop"), [green, green, green, green, green]);
  assert.deepEqual(await look("pad"), [red, green, blue, black, black]);
  assert.deepEqual(await look("stretch"), [red, green, blue, green, green]);
});

Deno.test("shrinking averages areas: a fine chequerboard becomes grey", async () => {
  const chequered = await encodePicture(320, 320, (x, y) => (x + y) % 2 ? [255, 255, 255] : [0, 0, 0]);
  const { pixels } = await preparePicture(chequered);
  for (const [x, y] of [[0, 0], [16, 16], [31, 31]]) assertNear(at(pixels, x, y), [128, 128, 128], "grey");
  for (const fit of ["crop", "pad", "stretch"] as const) {
    const thin = await preparePicture(await encodePicture(1, 1000, () => [9, 9, 9]), { fit });
    assert.deepEqual([thin.width, thin.height, thin.pixels.length], [1, 1000, IMAGE_BYTES]);
  }
});

Deno.test("transparent parts are composited on white", async () => {
  for (const format of ["png", "webp"] as const) {
    const picture = await encodePicture(64, 64, (x) => [255, 0, 0, x < 32 ? 0 : 255], { format });
    const { pixels, isTransparent } = await preparePicture(picture);
    assertNear(at(pixels, 5, 16), [255, 255, 255], format);
    assertNear(at(pixels, 27, 16), [255, 0, 0], format);
    assert.equal(isTransparent, true);
  }
});

Deno.test("a picture truncated anywhere is refused", async () => {
  const random = createRandom(3);
  const cases = [
    ["png", 3, false],
    ["png", 4, false],
    ["jpeg", 3, false],
    ["jpeg", 3, true],
    ["webp", 3, false],
    ["webp", 4, false],
  ] as const;
  for (const [format, channels, progressive] of cases) {
    const paint = () => Array.from({ length: channels }, () => random.integer(256)) as unknown as Colour;
    const picture = await encodePicture(200, 160, paint, { format, progressive });
    for (const share of [0.0001, 0.001, 0.01, 0.1, 0.5, 0.9]) {
      const cut = picture.slice(0, 3 + Math.floor(share * picture.length));
      await assert.rejects(
        preparePicture(cut, { label: "cat" }),
        (error) => error instanceof InputError && /^Cannot use cat: it is .+\.$/.test(error.message),
        `${format} of ${channels} channels cut to ${cut.length} of ${picture.length} bytes`,
      );
    }
  }
});

Deno.test("a PNG with a flipped bit is refused", async () => {
  const picture = await encodePicture(20, 20, () => [1, 2, 3]);
  picture[picture.length - 20] ^= 4;
  await assert.rejects(preparePicture(picture, { label: "cat.png" }), {
    name: "InputError",
    message: "Cannot use cat.png: it is damaged or truncated.",
  });
});

Deno.test("a small file with huge dimensions is refused before decoding", async () => {
  const png = await encodePicture(1, 1, () => [0, 0, 0]);
  await assert.rejects(preparePicture(claimSize(png, 20_000, 20_000)), {
    name: "InputError",
    message:
      "Cannot use the picture: 20000×20000 pixels are too many (at most 100 million); make it smaller first.",
  });
  await assert.rejects(preparePicture(claimSize(png, 0xffffffff, 0xffffffff)), { name: "InputError" });
});

Deno.test("an unsupported format is refused by name", async () => {
  const cases: [string, string][] = [
    ["", "it is empty"],
    ["Dear Sir or Madam", "it is not a picture (PNG, JPEG or WebP)"],
    ["GIF89a, and so on", "it is a GIF picture; convert it to PNG, JPEG or WebP"],
    ["II*\0 and so on", "it is a TIFF picture; convert it to PNG, JPEG or WebP"],
    ["\0\0\0 ftypavif", "it is an AVIF picture; convert it to PNG, JPEG or WebP"],
    ["\0\0\0 ftypheic", "it is a HEIC picture; convert it to PNG, JPEG or WebP"],
    ['<?xml version="1.0"?>\n<svg xmlns="…"/>', "it is an SVG drawing; convert it to PNG, JPEG or WebP"],
    ["%PDF-1.7", "it is a PDF document; convert it to PNG, JPEG or WebP"],
    ["RIFF1234WAVEfmt ", "it is not a picture (PNG, JPEG or WebP)"],
  ];
  for (const [text, reason] of cases) {
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 255);
    await assert.rejects(preparePicture(bytes, { label: "x" }), { message: `Cannot use x: ${reason}.` });
  }
});
