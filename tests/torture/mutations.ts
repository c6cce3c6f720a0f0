/**
 * Damaged files: thousands of seeded mutations of each kind of file that is read. Each is refused in one
 * sentence, or means the same as before; a file without a checksum may differ where its own bytes do.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { wordInputError } from "../../cli/shared/command.ts";
import { escapeControls } from "../../cli/shared/terminal.ts";
import { compareResults } from "../../lib/experiments/comparison.ts";
import { formatComparison } from "../../lib/experiments/markdown.ts";
import { publishedResultsFolder, readResults } from "../../lib/experiments/results.ts";
import { readRunRecord } from "../../lib/experiments/runs.ts";
import { readCifar10 } from "../../lib/data/cifar10.ts";
import { loadPretrained } from "../../lib/model/pretrained.ts";
import { preparePicture } from "../../lib/prediction/prepare_picture.ts";
import type { Random } from "../../lib/support/random.ts";
import { InputError } from "../../lib/support/errors.ts";
import { writeSafetensors } from "../../lib/support/safetensors.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { readConfigFile } from "../../lib/training/config_file.ts";
import { openRunFolder } from "../../lib/training/run_folder.ts";
import { readNotebook } from "../../notebooks/jupyter/notebook_file.ts";
import { makeSection } from "../../notebooks/report/section.ts";
import { type EncodeOptions, encodePicture } from "../testing/pictures.ts";
import { makeCifar10Files } from "../testing/small_cifar10.ts";
import { PROJECT } from "../testing/sources.ts";
import { mutateBytes, mutateHeader, mutateJson, type Mutation } from "./mutate.ts";
import { digest, type Reference, trainReference } from "./run.ts";
import type { Kind, Torture } from "./runner.ts";

export const MUTATIONS: Kind = {
  name: "mutations",
  async run(torture) {
    const reference = await trainReference(join(torture.folder, "reference"), 1);
    for (const target of await makeTargets(torture.folder, reference)) await damage(torture, target);
  },
};

/** A kind of file, and what is asserted of each damaged one. */
interface Target {
  what: string;
  path: string;
  /** Reads the damaged file and asserts that it means what it may mean. */
  check(mutation: Mutation, original: Uint8Array): unknown;
  /** Further damage besides that of bytes. */
  damage?: ((bytes: Uint8Array, random: Random) => Mutation)[];
}

const LONGEST = 2000; // milliseconds for one file

async function damage({ row, count }: Torture, { what, path, check, damage = [] }: Target): Promise<void> {
  await row(what, [], async ({ random, try: attempt, note }) => {
    const original = await Deno.readFile(path);
    const kinds = [mutateBytes, ...damage];
    let refused = 0;
    for (let number = 0; number < count(10_000, 40); number++) {
      const mutation = kinds[random.integer(kinds.length)](original, random);
      await attempt(`mutation ${number}: ${mutation.how}`, async () => {
        await Deno.writeFile(path, mutation.bytes);
        const started = performance.now();
        try {
          await check(mutation, original);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          const line = escapeControls(wordInputError(error).replaceAll("\n", " ")); // as it is printed
          assert.ok(!/(?!\t)\p{Cc}|\bat \S+:\d+:\d+/u.test(line), `not one line: ${line}`);
          refused++;
        }
        assert.ok(performance.now() - started < LONGEST, "it took more than two seconds");
      });
    }
    await Deno.writeFile(path, original);
    note(`${refused} refused`);
  });
}

async function makeTargets(folder: string, { folder: run }: Reference): Promise<Target[]> {
  const json = (bytes: Uint8Array, random: Random) => mutateJson(new TextDecoder().decode(bytes), random);
  const last = join(run, "last.safetensors");
  const whole = await openCheckpoint(last);
  const before = digest(whole) + JSON.stringify([whole.config, whole.recorded]);
  const weights = await writeWeights(join(folder, "weights.safetensors"), whole);
  const images = await writeImages(join(folder, "cifar"));
  const config = join(folder, "config.json");
  await Deno.writeTextFile(
    config,
    JSON.stringify({ epochs: 3, learningRate: 0.01, variant: "dynamic", seed: 7 }),
  );
  const results = join(folder, "results");
  await Deno.mkdir(results);
  await Deno.copyFile(join(publishedResultsFolder(), "dynamic.json"), join(results, "dynamic.json"));
  const published = readResults(results);
  const record = join(folder, "provenance.json");
  await Deno.writeTextFile(record, JSON.stringify(makeRecord()));
  const notebook = join(folder, "02_train.ipynb");
  await Deno.copyFile(join(PROJECT, "notebooks", "02_train.ipynb"), notebook);
  return [
    {
      what: "checkpoint",
      path: last,
      damage: [mutateHeader],
      check: async () => {
        const read = await openCheckpoint(last);
        assert.equal(
          digest(read) + JSON.stringify([read.config, read.recorded]),
          before,
          "it reads differently",
        );
      },
    },
    { what: "weights without a checksum", path: weights.path, check: weights.check },
    { what: "CIFAR-10 batch", path: images.path, check: images.check },
    {
      what: "configuration",
      path: config,
      damage: [json, json],
      check: async ({ bytes }) => {
        const resolved = resolveConfig({ file: await readConfigFile(config) });
        const { $schema: _, recorded: _1, ...named } = JSON.parse(plainText(bytes));
        for (const [name, value] of Object.entries(named)) {
          if (name === "__proto__") continue; // ignored, and does nothing
          assert.deepEqual(resolved[name as keyof typeof resolved], value, `${name} is read differently`);
        }
        assert.ok(
          Object.values(resolved).every((value) => typeof value !== "number" || Number.isFinite(value)),
        );
      },
    },
    {
      what: "history of a run that is resumed",
      path: join(run, "history.jsonl"),
      damage: [json],
      check: () => {
        using opened = openRunFolder(run, false);
        opened.writeHistory(whole.progress.history);
        const lines = Deno.readTextFileSync(join(run, "history.jsonl")).trim().split("\n");
        assert.deepEqual(lines.map((line) => JSON.parse(line)), whole.progress.history);
      },
    },
    {
      what: "results",
      path: join(results, "dynamic.json"),
      damage: [json, json],
      check: () => {
        const read = readResults(results);
        assert.deepEqual(read, published, "it reads differently");
        assert.ok(!/(?<!\\)<script|(?!\n)\p{Cc}/u.test(formatComparison(read)), "markup reaches the page");
        compareResults(read);
      },
    },
    {
      what: "record of a run",
      path: record,
      damage: [json, json],
      check: ({ bytes }) => {
        readRunRecord(folder);
        const { data, sessions } = JSON.parse(plainText(bytes)); // other fields are ignored
        assert.partialDeepStrictEqual({ data, sessions }, readRunRecord(folder)!, "it reads differently");
      },
    },
    {
      what: "notebook",
      path: notebook,
      damage: [json, json],
      check: async () => {
        const file = await readNotebook(notebook);
        makeSection({ path: notebook, file });
      },
    },
    ...await makePictures(folder),
  ];
}

/** JSON as its readers take it: without a byte order mark. */
const plainText = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function makeRecord() {
  const machine = { cpu: "a", cores: 2, memory: 1e9, system: "linux" };
  const session = { date: "2026-01-01T00:00:00Z", commit: null, machine, device: "cpu", threads: 2, jobs: 1 };
  const data = { name: "synthetic", fingerprint: "00000000" };
  return { data, sessions: [{ ...session, tensorflow: "2.21.0" }] };
}

/** Another program's weights: no checksum, so a flipped bit in a value is a value. */
async function writeWeights(path: string, checkpoint: Awaited<ReturnType<typeof openCheckpoint>>) {
  const { network } = checkpoint.readTensors();
  const prefix = "backbone.";
  const backbone = [...network].filter(([name]) => name.startsWith(prefix));
  writeSafetensors(path, backbone.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  const { tensors } = await loadPretrained({ weights: path });
  await removeHash(path);
  const check = async ({ bytes }: Mutation, original: Uint8Array) => {
    const read = (await loadPretrained({ weights: path })).tensors!;
    const allowed = countDifferent(bytes, original);
    let different = 0;
    for (const [name, { data }] of tensors!) {
      different += countDifferent(bytesOf(data), bytesOf(read.get(name)!.data));
    }
    assert.ok(different <= allowed, `${different} bytes of tensors differ, ${allowed} of the file`);
  };
  return { path, check };
}

/** Takes the checksum out of a file's header, leaving spaces. */
async function removeHash(path: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  delete header.__metadata__;
  bytes.set(new TextEncoder().encode(JSON.stringify(header).padEnd(length)), 8);
  await Deno.writeFile(path, bytes);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength);

function countDifferent(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length) return 0; // then nothing may differ
  let count = 0;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) count++;
  return count;
}

async function writeImages(folder: string) {
  const recordsPerFile = 10;
  await Deno.mkdir(folder);
  for (const [name, bytes] of makeCifar10Files(recordsPerFile)) {
    await Deno.writeFile(join(folder, name), bytes);
  }
  const before = await readCifar10(folder, { recordsPerFile });
  const path = join(folder, "data_batch_3.bin");
  const check = async ({ bytes }: Mutation, original: Uint8Array) => {
    const read = await readCifar10(folder, { recordsPerFile });
    const different = (["train", "test"] as const).map((part) =>
      countDifferent(read[part].images, before[part].images) +
      countDifferent(read[part].labels, before[part].labels)
    );
    assert.deepEqual(different, [countDifferent(bytes, original), 0], "other bytes differ than the file's");
  };
  return { path, check };
}

/** Pictures: a PNG has checksums; a JPEG or WebP must at least not be cut short. */
async function makePictures(folder: string): Promise<Target[]> {
  const formats: [string, EncodeOptions][] = [
    ["PNG", { format: "png" }],
    ["JPEG", { format: "jpeg" }],
    ["progressive JPEG", { format: "jpeg", progressive: true }],
    ["WebP", { format: "webp" }],
  ];
  const targets: Target[] = [];
  for (const [name, options] of formats) {
    const path = join(folder, name.replace(" ", "-"));
    const bytes = await encodePicture(80, 60, (x, y) => [x * 3, y * 4, (x * y) & 255], options);
    await Deno.writeFile(path, bytes);
    const before = await preparePicture(bytes);
    const check = async ({ bytes }: Mutation, original: Uint8Array) => {
      const isCut = bytes.length < original.length && bytes.every((byte, at) => byte === original[at]);
      const read = await preparePicture(bytes);
      assert.equal(read.views.length, before.views.length);
      if (name === "PNG" || isCut) {
        assert.deepEqual(read.views, before.views, "another picture, without a word");
      }
    };
    targets.push({ what: `${name} picture`, path, check });
  }
  return targets;
}
