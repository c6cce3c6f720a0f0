/**
 * Bad numbers: NaN and infinity, exploding gradients, the smallest batches and rates, filters without length.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { loadPretrained } from "../../lib/model/pretrained.ts";
import { InputError } from "../../lib/support/errors.ts";
import { readSafetensors, type StoredTensor, writeSafetensors } from "../../lib/support/safetensors.ts";
import { openCheckpoint, writeCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import type { TrainResult } from "../../lib/training/train.ts";
import { VARIANTS } from "../testing/networks.ts";
import { TINY, trainTiny } from "../testing/training.ts";
import { assertRefused, runTask } from "./run.ts";
import type { Kind, Torture } from "./runner.ts";

export const NUMBERS: Kind = {
  name: "numbers",
  async run(torture) {
    await poison(torture);
    await explode(torture);
    await shrink(torture);
    await flatten(torture);
  },
};

/** Puts NaN and infinity into files whose checksums are right. */
async function poison({ folder, row, count, quick }: Torture): Promise<void> {
  await row("NaN and infinity in weights and checkpoints", [], async ({ random, try: attempt }) => {
    const runs = join(folder, "poisoned");
    await trainTiny(runs, { epochs: 1 });
    const last = join(runs, TINY.run!, "last.safetensors");
    const { tensors, metadata } = await readSafetensors(last);
    const names = [...tensors.keys()];
    for (let number = 0; number < count(300, 12); number++) {
      const bad = [NaN, Infinity, -Infinity][random.integer(3)];
      const name = names[random.integer(names.length)];
      await attempt(`${bad} in ${name}`, async () => {
        const spoilt = new Map(tensors);
        const data = (tensors.get(name)!.data as Float32Array).slice();
        data[random.integer(data.length)] = bad;
        spoilt.set(name, { ...tensors.get(name)!, data });
        const path = join(folder, "spoilt.safetensors");
        writeSafetensors(path, spoilt, metadata);
        await assert.rejects(async () => (await openCheckpoint(path)).readTensors(), InputError);
        if (!name.startsWith("backbone.")) return;
        writeSafetensors(path, backboneOf(spoilt));
        await assert.rejects(() => loadPretrained({ weights: path }), InputError);
      });
      if (number >= 3 || quick) continue;
      await attempt(`evaluate, ${bad} in ${name}`, async () => {
        assertRefused(
          await runTask("evaluate", [join(folder, "spoilt.safetensors"), "--data", "synthetic"], runs),
        );
      });
    }
  });
}

function backboneOf(tensors: ReadonlyMap<string, StoredTensor>): [string, StoredTensor][] {
  return [...tensors].filter(([name]) => name.startsWith("backbone."))
    .map(([name, tensor]) => [name.slice("backbone.".length), tensor]);
}

/** Trains with rates at which gradients explode: it must say so, and keep a state that is finite. */
async function explode({ folder, row, quick }: Torture): Promise<void> {
  await row("exploding gradients", [], async ({ try: attempt, note }) => {
    let diverged = 0;
    for (const learningRate of quick ? [1e30] : [1e3, 1e6, 1e12, 1e30, 1e38]) {
      for (const optimizer of ["sgd", "adam"] as const) {
        for (const compile of [false, true]) {
          for (const variant of quick ? VARIANTS.slice(0, 1) : VARIANTS) {
            const how = `${variant}, ${optimizer}, rate ${learningRate}${compile ? ", compiled" : ""}`;
            await attempt(how, async () => {
              const runs = join(folder, how);
              const flags = { learningRate, optimizer, compile, variant };
              try {
                assertFinite(await trainTiny(runs, flags));
              } catch (error) {
                if (!(error instanceof InputError)) throw error;
                assert.match(error.message, /diverged|not finite|NaN|infinit/i);
                diverged++;
              }
              (await openCheckpoint(join(runs, TINY.run!, "last.safetensors"))).readTensors();
              await Deno.remove(runs, { recursive: true });
            });
          }
        }
      }
    }
    note(`${diverged} diverged and said so`);
  });
}

function assertFinite({ history }: TrainResult): void {
  for (const record of history) {
    for (const [name, value] of Object.entries(record)) {
      assert.ok(typeof value !== "number" || Number.isFinite(value), `${name} is ${value}`);
    }
  }
}

/** The smallest batches, data sets and rates. */
async function shrink({ folder, row, quick }: Torture): Promise<void> {
  await row("batch of 1, one image, smallest rates", [], async ({ try: attempt }) => {
    const settings: Partial<TrainConfig>[] = [
      { batchSize: 1, subset: 10, testSubset: 1 },
      { subset: 1, testSubset: 1 },
      { batchSize: 1, subset: 1, testSubset: 1, augment: false },
      { batchSize: 36 }, // the last batch has one image
      { learningRate: 1.5e-45 }, // the smallest in single precision
      { learningRate: 1e-40, optimizer: "adam" },
      { momentum: 0, weightDecay: 0 },
      { clipNorm: 1e-30 },
      { weightDecay: 1e30, learningRate: 1e-30 },
      { labelSmoothing: 0.999999 },
    ];
    for (const setting of quick ? settings.slice(0, 3) : settings) {
      for (const compile of quick ? [false] : [false, true]) {
        for (const backbone of quick ? ["trainable"] as const : ["trainable", "frozen", "bn-only"] as const) {
          await attempt(`${JSON.stringify(setting)}, ${backbone}${compile ? ", compiled" : ""}`, async () => {
            const runs = join(folder, "small");
            assertFinite(await trainTiny(runs, { ...setting, compile, backbone }));
            await Deno.remove(runs, { recursive: true });
          });
        }
      }
    }
    for (
      const flags of [{ learningRate: 0 }, { learningRate: 5e-324 }, { batchSize: 0 }, { epochs: 0 }, {
        subset: 0,
      }, {
        learningRate: NaN,
      }]
    ) {
      await attempt(JSON.stringify(flags), () => assert.throws(() => resolveConfig({ flags }), InputError));
    }
  });
}

/** Filters of length 0 or nearly: training goes on, and compiled as well as not it gives the same. */
async function flatten({ folder, row, quick }: Torture): Promise<void> {
  await row("filters of norm near 0", [], async ({ try: attempt }) => {
    for (const variant of quick ? VARIANTS.slice(0, 2) : VARIANTS) {
      for (const size of quick ? [0] : [0, 1e-45, 1e-30, 1e-20, 1e-12, 1e-6]) {
        const losses: number[] = [];
        for (const compile of [false, true]) {
          await attempt(`${variant}, ${size}${compile ? ", compiled" : ""}`, async () => {
            const runs = join(folder, `flat-${variant}-${size}-${compile}`);
            await trainTiny(runs, { variant, compile, epochs: 1 });
            const path = join(runs, TINY.run!, "last.safetensors");
            const checkpoint = await openCheckpoint(path);
            const { network, slots } = checkpoint.readTensors();
            for (const [name, tensor] of network) {
              if (!/^(weights_generator\.2|filters)\./.test(name)) continue;
              network.set(name, { ...tensor, data: new Float32Array(tensor.data.length).fill(size) });
            }
            writeCheckpoint(path, { ...checkpoint, network, slots });
            const result = await trainTiny(runs, { variant, compile, epochs: 2 }, { resume: TINY.run });
            assertFinite(result);
            losses.push(result.history.at(-1)!.trainLoss);
            const [eager, compiled = eager] = losses;
            assert.ok(Math.abs(eager - compiled) < 1e-3 * eager, `loss ${eager}, compiled ${compiled}`);
          });
        }
      }
    }
  });
}
