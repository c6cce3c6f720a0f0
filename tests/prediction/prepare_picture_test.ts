import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deflateSync } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import { IMAGE_BYTES, IMAGE_SIZE } from "../../lib/data/dataset.ts";
import { MEAN_COLOUR } from "../../lib/data/normalise.ts";
import { InputError } from "../../lib/support/errors.ts";
import {
  preparePicture,
  type PreparePictureOptions,
  type View,
  VIEWS,
} from "../../lib/prediction/prepare_picture.ts";
import { createRandom } from "../../lib/support/random.ts";
import {
  claimSize,
  type Colour,
  encodePicture,
  joinPng,
  paintCorners,
  type PngChunk,
  splitPng,
  storeRotated,
} from "../testing/pictures.ts";

const FORMATS = ["png", "jpeg", "webp"] as const;

/** One view of a picture. */
async function prepareView(
  bytes: Uint8Array,
  view: View = "crop",
  options: Omit<PreparePictureOptions, "views"> = {},
) {
  const { views: [{ pixels }], ...facts } = await preparePicture(bytes, { ...options, views: [view] });
  return { pixels, ...facts };
}

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
  for (const fit of VIEWS) {
    const { pixels, isTransparent } = await prepareView(png, fit);
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
      for (const fit of VIEWS) {
        const prepared = await prepareView(picture, fit);
        const what = `${format} ${orientation} ${fit}`;
        assert.deepEqual([prepared.width, prepared.height], [width, height], what);
        for (const [x, y] of [[6, 12], [26, 12], [6, 20], [26, 20]]) {
          assertNear(at(prepared.pixels, x, y), paintCorners(32, 32)(x, y), `${what} (${x}, ${y})`);
        }
        const edge: Colour = fit === "pad" ? MEAN_COLOUR : [255, 0, 0];
        assertNear(at(prepared.pixels, 2, 2), edge, `${what} upper edge`);
      }
    }
  });
}

Deno.test("a WebP picture is rotated where its EXIF data lack JPEG's marker, too", async () => {
  const paint = storeRotated(paintCorners(96, 64), 96, 64, 6);
  const webp = Buffer.from(await encodePicture(64, 96, paint, { format: "webp", orientation: 6 }));
  const start = webp.indexOf("EXIF"); // the last chunk
  const length = webp.readUInt32LE(start + 4);
  assert.equal(webp.toString("latin1", start + 8, start + 14), "Exif\0\0");
  const other = Buffer.concat([webp.subarray(0, start + 8), webp.subarray(start + 14)]);
  other.writeUInt32LE(length - 6, start + 4);
  other.writeUInt32LE(other.length - 8, 4);
  for (const file of [webp, other]) {
    const { pixels, width, height } = await prepareView(new Uint8Array(file), "stretch");
    assert.deepEqual([width, height], [96, 64]);
    assertNear(at(pixels, 26, 6), [0, 255, 0], "upper right");
  }
});

Deno.test("crop takes the middle, pad adds bars of the mean colour, stretch keeps everything", async () => {
  // red | green | blue, each a third of the width
  const paint = (x: number): Colour => x < 40 ? [255, 0, 0] : x < 80 ? [0, 255, 0] : [0, 0, 255];
  const picture = await encodePicture(120, 40, paint);
  const look = async (fit: View) => {
    const { pixels } = await prepareView(picture, fit);
    return [[2, 16], [16, 16], [29, 16], [16, 2], [16, 29]].map(([x, y]) => at(pixels, x, y).join());
  };
  const [red, green, blue, mean] = ["255,0,0", "0,255,0", "0,0,255", MEAN_COLOUR.join()];
  assert.deepEqual(await look("crop"), [green, green, green, green, green]);
  assert.deepEqual(await look("pad"), [red, green, blue, mean, mean]);
  assert.deepEqual(await look("stretch"), [red, green, blue, green, green]);
});

Deno.test("shrinking averages areas: a fine chequerboard becomes grey", async () => {
  const chequered = await encodePicture(320, 320, (x, y) => (x + y) % 2 ? [255, 255, 255] : [0, 0, 0]);
  const { pixels } = await prepareView(chequered);
  for (const [x, y] of [[0, 0], [16, 16], [31, 31]]) assertNear(at(pixels, x, y), [128, 128, 128], "grey");
  for (const fit of VIEWS) {
    const thin = await prepareView(await encodePicture(1, 1000, () => [9, 9, 9]), fit);
    assert.deepEqual([thin.width, thin.height, thin.pixels.length], [1, 1000, IMAGE_BYTES]);
  }
});

Deno.test("transparent parts are composited on the mean colour, or another", async () => {
  for (const format of ["png", "webp"] as const) {
    const picture = await encodePicture(64, 64, (x) => [255, 0, 0, x < 32 ? 0 : 255], { format });
    const { pixels, isTransparent } = await prepareView(picture);
    assertNear(at(pixels, 5, 16), MEAN_COLOUR, format);
    assertNear(at(pixels, 27, 16), [255, 0, 0], format);
    assert.equal(isTransparent, true);
    const { pixels: onWhite } = await prepareView(picture, "crop", { background: [255, 255, 255] });
    assertNear(at(onWhite, 5, 16), [255, 255, 255], format);
  }
});

Deno.test("a picture has three views, and one where it is square", async () => {
  const views = async (width: number, height: number, options: PreparePictureOptions = {}) =>
    (await preparePicture(await encodePicture(width, height, () => [9, 9, 9]), options)).views
      .map(({ view }) => view);
  assert.deepEqual(await views(64, 40), ["stretch", "crop", "pad"]);
  assert.deepEqual(await views(64, 40, { views: ["pad"] }), ["pad"]);
  assert.deepEqual(await views(50, 50), ["stretch"]);
});

/** A picture with noise in each of the ways in which the formats store one. */
function encodings(width: number, height: number): [name: string, picture: Sharp][] {
  const random = createRandom(3);
  const noise = (channels: 3 | 4) => {
    const bytes = Uint8Array.from({ length: width * height * channels }, () => random.integer(256));
    return sharp(bytes, { raw: { width, height, channels } });
  };
  return [
    ["grey JPEG", noise(3).greyscale().jpeg()],
    ["JPEG", noise(3).jpeg({ quality: 90 })],
    ["progressive JPEG", noise(3).jpeg({ progressive: true })],
    ["progressive grey JPEG", noise(3).greyscale().jpeg({ progressive: true })],
    ["CMYK JPEG", noise(3).toColourspace("cmyk").jpeg()],
    ["PNG", noise(3).png()],
    ["PNG with opacity", noise(4).png()],
    ["interlaced PNG", noise(3).png({ progressive: true })],
    ["PNG with a palette", noise(3).png({ palette: true })],
    ["grey PNG of 16 bits", noise(3).toColourspace("grey16").png()],
    ["WebP", noise(3).webp()],
    ["WebP without loss", noise(3).webp({ lossless: true })],
    ["WebP with opacity", noise(4).webp()],
  ];
}

const isRefusal = (error: unknown) =>
  error instanceof InputError && /^Cannot use cat: it is .+\.$/.test(error.message);

Deno.test("a picture truncated anywhere is refused, also after what a crop needs", async () => {
  for (const [width, height] of [[60, 50], [40, 400]]) {
    for (const [name, encoder] of encodings(width, height)) {
      const picture = new Uint8Array(await encoder.toBuffer());
      await preparePicture(picture);
      for (const share of [0.0001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1]) {
        const cut = picture.slice(0, 3 + Math.floor(share * (picture.length - 6)));
        const what = `${name} of ${width}×${height} cut to ${cut.length} of ${picture.length} bytes`;
        await assert.rejects(preparePicture(cut, { label: "cat" }), isRefusal, what);
      }
    }
  }
});

Deno.test("bytes after a picture, as of a film of a few seconds, do not matter", async () => {
  for (const [name, encoder] of encodings(40, 30)) {
    const picture = new Uint8Array(await encoder.toBuffer());
    const { pixels } = await prepareView(picture);
    const longer = await prepareView(new Uint8Array([...picture, 0xff, 0xd8, 1, 2, 3]));
    assert.deepEqual(longer.pixels, pixels, name);
  }
});

Deno.test("a PNG without the rest of its deflated pixels is refused, though all its chunks are whole", async () => {
  const png = await encodePicture(60, 50, (x, y) => [x * 4, y * 5, x * y % 256]);
  const chunks = splitPng(png);
  const pixels = chunks.find(({ type }) => type === "IDAT")!;
  for (const share of [0.5, 0.9, 0.999]) {
    const part = pixels.data.subarray(0, Math.floor(share * pixels.data.length));
    const cut = joinPng(chunks.map((chunk) => chunk === pixels ? { ...chunk, data: part } : chunk));
    await assert.rejects(preparePicture(cut, { label: "cat" }), isRefusal, `${share}`);
  }
  assert.deepEqual(joinPng(chunks), png);
});

Deno.test("a PNG is rotated by EXIF data wherever programs write them", async () => {
  const [width, height] = [96, 64];
  const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  for (let orientation = 1; orientation <= 8; orientation++) {
    const stored = orientation >= 5 ? [height, width] : [width, height];
    const paint = storeRotated(paintCorners(width, height), width, height, orientation);
    const [header, ...rest] = splitPng(await encodePicture(stored[0], stored[1], paint));
    const [little, big] = [
      `II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0`,
      "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0",
    ]
      .map((begin) => begin + String.fromCharCode(orientation) + "\0".repeat(8));
    const hex = (exif: string) =>
      `\nexif\n${exif.length}\n${latin1(exif).toHex().replace(/.{72}/g, "$&\n")}\n`;
    const imageMagick = latin1(hex("Exif\0\0" + big));
    const places: Record<string, PngChunk[]> = {
      "before the pixels": [header, { type: "eXIf", data: latin1(big) }, ...rest],
      "after JPEG's marker": [header, { type: "eXIf", data: latin1("Exif\0\0" + little) }, ...rest],
      "after the pixels": [
        header,
        ...rest.slice(0, -1),
        { type: "eXIf", data: latin1(little) },
        rest.at(-1)!,
      ],
      "as deflated text": [header, {
        type: "zTXt",
        data: new Uint8Array([...latin1("Raw profile type exif\0\0"), ...deflateSync(imageMagick)]),
      }, ...rest],
      "as text": [header, { type: "tEXt", data: latin1("Raw profile type APP1\0" + hex(little)) }, ...rest],
      "as international text": [
        header,
        { type: "iTXt", data: latin1("Raw profile type exif\0\0\0en\0name\0" + hex(big)) },
        ...rest,
      ],
    };
    for (const [place, chunks] of Object.entries(places)) {
      const { pixels, ...size } = await prepareView(joinPng(chunks), "stretch");
      const what = `${orientation} ${place}`;
      assert.deepEqual([size.width, size.height], [width, height], what);
      for (const [x, y] of [[6, 12], [26, 12], [6, 20], [26, 20]]) {
        assertNear(at(pixels, x, y), paintCorners(32, 32)(x, y), `${what} (${x}, ${y})`);
      }
    }
  }
});

Deno.test("EXIF data of a PNG that mean nothing do not stop it, and a wrong checksum does", async () => {
  const [header, ...rest] = splitPng(await encodePicture(32, 32, () => [9, 9, 9]));
  const data = new TextEncoder().encode("Raw profile type exif\0\0");
  const bomb = new Uint8Array([...data, ...deflateSync(new Uint8Array(3e6))]);
  const texts = [data, data.subarray(0, 21), new Uint8Array([...data, 1, 2, 3]), bomb];
  const chunks = texts.map((data): PngChunk => ({ type: "zTXt", data }));
  for (const text of ["", "MM\0*", "MM\0*\xff\xff\xff\xff", "II*\0\x08\0\0\0\xff\xff", "II*\0\x04\0\0\0"]) {
    chunks.push({ type: "eXIf", data: Uint8Array.from(text, (letter) => letter.charCodeAt(0)) });
  }
  for (const chunk of chunks) {
    const file = joinPng([header, ...rest.slice(0, -1), chunk, rest.at(-1)!]);
    const { width, height } = await preparePicture(file);
    assert.deepEqual([width, height], [32, 32]);
    file[file.length - 13] ^= 1; // the chunk's checksum
    await assert.rejects(preparePicture(file, { label: "cat" }), isRefusal);
  }
});

Deno.test("a JPEG shrinks as its decoded pixels do", async () => {
  const jpeg = await encodePicture(640, 480, (x, y) => [x % 256, y % 256, x * y % 256], { format: "jpeg" });
  const decoded = new Uint8Array(await sharp(jpeg).png().toBuffer());
  assert.deepEqual((await preparePicture(jpeg)).views, (await preparePicture(decoded)).views);
});

Deno.test("of an animation the first frame is taken", async () => {
  const frames = [10, 120, 240].map((value) => ({
    create: { width: 40, height: 40, channels: 3 as const, background: { r: value, g: 0, b: 0 } },
  }));
  const images = await Promise.all(frames.map((frame) => sharp(frame).png().toBuffer()));
  const webp = await sharp(images, { join: { animated: true } }).webp({ lossless: true }).toBuffer();
  const { pixels, ...facts } = await prepareView(new Uint8Array(webp));
  assert.deepEqual([at(pixels, 16, 16), facts.width, facts.height], [[10, 0, 0], 40, 40]);
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
