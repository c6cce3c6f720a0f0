// Seeded damage to checkpoints
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { createRandom } from "../../lib/support/random.ts";
import { type Checkpoint, openCheckpoint } from "../../lib/training/checkpoint.ts";
import { saveRandomCheckpoint } from "../testing/checkpoint.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { mutateBytes, mutateHeader } from "../torture/mutate.ts";

const contentOf = ({ config, recorded, progress, readTensors }: Checkpoint) => ({
  config,
  recorded,
  progress,
  tensors: readTensors(),
});

/** Reads a file; null if it is refused in one sentence. */
async function readOrNull(path: string): Promise<ReturnType<typeof contentOf> | null> {
  try {
    return contentOf(await openCheckpoint(path));
  } catch (error) {
    assert.ok(error instanceof InputError, `${(error as Error).stack}`);
    assert.match(error.message, /^Cannot [^\n]{1,600}\.$/);
    return null;
  }
}

/** Takes the hash out of a file, as older programs wrote it. */
function withoutHash(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1", 8).replace(/,"sha256_of_rest":"[0-9a-f]{64}"/, "");
  const older = Buffer.concat([bytes.subarray(0, 8), Buffer.from(text, "latin1")]);
  older.writeBigUInt64LE(older.readBigUInt64LE() - BigInt(bytes.length - older.length));
  return new Uint8Array(older);
}

Deno.test("damaged checkpoints are refused in one sentence, and those without a hash crash nothing", async () => {
  using folder = temporaryFolder();
  const path = await saveRandomCheckpoint(join(folder.path, "last.safetensors"));
  const whole = Deno.readFileSync(path);
  const expected = contentOf(await openCheckpoint(path));
  const older = withoutHash(whole);
  Deno.writeFileSync(path, older);
  assert.ok(isDeepStrictEqual(contentOf(await openCheckpoint(path)), expected)); // a difference has no end
  for (let seed = 0; seed < 100; seed++) {
    const mutate = seed % 2 === 0 ? mutateBytes : mutateHeader;
    const { how, bytes } = mutate(whole, createRandom(seed));
    Deno.writeFileSync(path, bytes);
    const isSame = Buffer.compare(bytes, whole) === 0; // zeros over zeros
    assert.ok(isSame || await readOrNull(path) === null, `seed ${seed}: ${how}`);
    Deno.writeFileSync(path, mutate(older, createRandom(seed)).bytes);
    await readOrNull(path);
  }
});
