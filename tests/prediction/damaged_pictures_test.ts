// Seeded damage to pictures
import assert from "node:assert/strict";
import sharp from "sharp";
import { IMAGE_BYTES } from "../../lib/data/dataset.ts";
import { preparePicture } from "../../lib/prediction/prepare_picture.ts";
import { InputError } from "../../lib/support/errors.ts";
import { createRandom } from "../../lib/support/random.ts";
import { mutateBytes } from "../torture/mutate.ts";

Deno.test("a damaged picture is refused in one sentence or decoded to 32×32, a PNG unchanged", async () => {
  const random = createRandom(5);
  const noise = Uint8Array.from({ length: 24 * 40 * 4 }, () => random.integer(256));
  const picture = () => sharp(noise, { raw: { width: 24, height: 40, channels: 4 } });
  const pictures = await Promise.all([
    picture().jpeg().toBuffer(),
    picture().jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer(),
    picture().png().withMetadata({ orientation: 3 }).toBuffer(),
    picture().png({ palette: true, progressive: true }).toBuffer(),
    picture().webp().withMetadata({ orientation: 8 }).toBuffer(),
    picture().webp({ lossless: true }).toBuffer(),
  ]);
  for (const [index, picture] of pictures.entries()) {
    const { views: whole } = await preparePicture(new Uint8Array(picture));
    const hasChecksums = picture.toString("latin1", 1, 4) === "PNG"; // the others' damage may look like content
    for (let seed = 0; seed < 60; seed++) {
      try {
        const bytes = mutateBytes(new Uint8Array(picture), createRandom(index, seed)).bytes;
        const { views } = await preparePicture(bytes, { label: "cat" });
        for (const { pixels } of views) assert.equal(pixels.length, IMAGE_BYTES);
        if (hasChecksums) assert.deepEqual(views, whole, `picture ${index}, seed ${seed}`);
      } catch (error) {
        assert.ok(error instanceof InputError, `picture ${index}, seed ${seed}: ${(error as Error).stack}`);
        assert.match(error.message, /^Cannot use cat: it .*\.$/);
      }
    }
  }
});
