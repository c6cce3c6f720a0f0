import assert from "node:assert/strict";
import { IMAGE_BYTES, IMAGE_SIZE } from "../../lib/data/dataset.ts";
import { InputError } from "../../lib/support/errors.ts";
import { type Fit, preparePicture } from "../../lib/prediction/prepare_picture.ts";
import { createRandom } from "../../lib/support/random.ts";
import {
  addOrientation,
  type Colour,
  encodePicture,
  paintCorners,
  pngChunk,
  turnForStorage,
} from "../testing/pictures.ts";

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

Deno.test("a picture of 32×32 goes to the network as it is", async () => {
  const random = createRandom(2);
  const bytes = Uint8Array.from({ length: IMAGE_BYTES }, () => random.integer(256));
  const png = await encodePicture(32, 32, (x, y) => at(bytes, x, y) as unknown as Colour);
  for (const fit of ["crop", "pad", "stretch"] as const) {
    const { pixels, how } = await preparePicture(png, { fit });
    assert.deepEqual([...pixels], [...bytes]);
    assert.equal(how, "32×32 already");
  }
});

for (const format of FORMATS) {
  Deno.test(`a ${format} picture stored in any of EXIF's eight ways is upright`, async () => {
    const [width, height] = [96, 64];
    for (let orientation = 1; orientation <= 8; orientation++) {
      const stored = orientation >= 5 ? [height, width] : [width, height];
      const paint = turnForStorage(paintCorners(width, height), width, height, orientation);
      const picture = addOrientation(await encodePicture(stored[0], stored[1], paint, format), orientation);
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

Deno.test("crop takes the middle, pad leaves black bars, stretch takes all, and each says so", async () => {
  // red | green | blue, each a third of the width
  const paint = (x: number): Colour => x < 40 ? [255, 0, 0] : x < 80 ? [0, 255, 0] : [0, 0, 255];
  const picture = await encodePicture(120, 40, paint);
  const look = async (fit: Fit) => {
    const { pixels, how } = await preparePicture(picture, { fit });
    return {
      how,
      colours: [[2, 16], [16, 16], [29, 16], [16, 2], [16, 29]].map(([x, y]) => at(pixels, x, y).join()),
    };
  };
  const [red, green, blue, black] = ["255,0,0", "0,255,0", "0,0,255", "0,0,0"];
  assert.deepEqual(await look("crop"), {
    how: "the middle 40×40 of 120×40 averaged to 32×32",
    colours: [green, green, green, green, green],
  });
  assert.deepEqual(await look("pad"), {
    how: "the whole of 120×40 as 32×11 of 32×32, black above and below",
    colours: [red, green, blue, black, black],
  });
  assert.deepEqual(await look("stretch"), {
    how: "the whole of 120×40 stretched to 32×32",
    colours: [red, green, blue, green, green],
  });
});

Deno.test("the size says how a picture was brought to 32×32", async () => {
  const how = async (width: number, height: number, fit?: Fit) =>
    (await preparePicture(await encodePicture(width, height, () => [9, 9, 9]), { fit })).how;
  assert.equal(await how(100, 100), "the whole of 100×100 averaged to 32×32");
  assert.equal(await how(8, 8), "the whole of 8×8 enlarged to 32×32");
  assert.equal(await how(8, 20), "the middle 8×8 of 8×20 enlarged to 32×32");
  assert.equal(await how(32, 50), "the middle 32×32 of 32×50: 32×32");
  assert.equal(await how(10, 40, "pad"), "the whole of 10×40 as 8×32 of 32×32, black left and right");
  assert.equal(await how(1, 1000, "pad"), "the whole of 1×1000 as 1×32 of 32×32, black left and right");
  assert.equal(await how(100, 99, "pad"), "the whole of 100×99 as 32×32 of 32×32");
});

Deno.test("transparent parts lie on white", async () => {
  for (const format of ["png", "webp"] as const) {
    const picture = await encodePicture(64, 64, (x) => [255, 0, 0, x < 32 ? 0 : 255], format);
    const { pixels, how } = await preparePicture(picture);
    assertNear(at(pixels, 5, 16), [255, 255, 255], format);
    assertNear(at(pixels, 27, 16), [255, 0, 0], format);
    assert.equal(how, "the whole of 64×64 averaged to 32×32, transparent parts on white");
  }
});

Deno.test("a tall picture's transparent parts are not covered by what was above them", async () => {
  const picture = await encodePicture(16, 640, (_, y) => [0, 0, 0, y < 320 ? 255 : 0]);
  const { pixels } = await preparePicture(picture, { fit: "stretch" });
  assert.deepEqual([at(pixels, 16, 8), at(pixels, 16, 15), at(pixels, 16, 16), at(pixels, 16, 30)], [
    [0, 0, 0],
    [0, 0, 0],
    [255, 255, 255],
    [255, 255, 255],
  ]);
});

Deno.test("a picture that is cut short is refused, wherever it was cut", async () => {
  const random = createRandom(3);
  for (const [format, channels] of [["png", 3], ["jpeg", 3], ["webp", 3], ["png", 4], ["webp", 4]] as const) {
    const paint = () => Array.from({ length: channels }, () => random.integer(256)) as unknown as Colour;
    const picture = await encodePicture(200, 160, paint, format);
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
    message: 'Cannot use cat.png: it is damaged (checksum of its part "IDAT").',
  });
});

Deno.test("a small file that claims to be a huge picture is refused before it is decoded", async () => {
  const png = await encodePicture(1, 1, () => [0, 0, 0]);
  const header = png.slice(16, 29);
  for (const [width, height] of [[40_000, 10], [20_000, 20_000], [0xffffffff, 0xffffffff]]) {
    const view = new DataView(header.buffer);
    view.setUint32(0, width);
    view.setUint32(4, height);
    const bomb = Uint8Array.from([...png.subarray(0, 8), ...pngChunk("IHDR", header), ...png.subarray(33)]);
    await assert.rejects(preparePicture(bomb), {
      name: "InputError",
      message:
        `Cannot use the picture: ${width}×${height} pixels are too many (at most 100 million, and 32767 a side); make it smaller first.`,
    });
  }
});

Deno.test("what is no PNG, JPEG or WebP picture is refused by what it is", async () => {
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
