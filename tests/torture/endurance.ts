/**
 * A long training: tensors, their bytes, and the process's memory stay flat.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { formatNumber } from "../../lib/support/format.ts";
import { mean } from "../../lib/support/statistics.ts";
import { studentQuantile } from "../../lib/support/student_t.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { train } from "../../lib/training/train.ts";
import { countTensors } from "../testing/tensors.ts";
import type { Kind } from "./runner.ts";

const BATCH = 2;
const MOST_BYTES_PER_STEP = 500; // 0.1 MB in an epoch of the lab's training

interface Sample {
  step: number;
  tensors: number;
  bytes: number;
  natives: number;
  resident: number;
}

export const ENDURANCE: Kind = {
  name: "endurance",
  async run({ row, count, folder }) {
    const steps = count(20_000, 300);
    await row(`${steps} steps`, [], async ({ try: attempt, note }) => {
      const samples: Sample[] = [];
      const epochs = 10;
      const config = resolveConfig({
        flags: {
          ...{ run: "long", data: "synthetic", weights: "random", device: "cpu", batchSize: BATCH, epochs },
          ...{ subset: steps * BATCH / epochs, testSubset: 10, learningRate: 1e-4 },
        },
      });
      await train(config, {
        runsFolder: join(folder, "runs"),
        datasets: createSynthetic({ trainSize: steps * BATCH / epochs, testSize: 10 }),
        observer: {
          onStep: ({ epoch, step, steps }) => {
            const { tensors, natives = 0 } = countTensors();
            const { numBytes: bytes } = tf.memory();
            samples.push({
              step: (epoch - 1) * steps + step,
              tensors,
              bytes,
              natives,
              resident: Deno.memoryUsage().rss,
            });
          },
        },
      });
      const settled = samples.filter(({ step }) => step > steps / 2); // V8 and the allocators grow first
      for (const key of ["tensors", "bytes", "natives"] as const) {
        await attempt(`${key} are flat`, () => {
          const values = new Set(settled.map((sample) => sample[key]));
          assert.equal(values.size, 1, `${key} between ${Math.min(...values)} and ${Math.max(...values)}`);
        });
      }
      const { slope, error } = fitLine(settled.map(({ step, resident }) => [step, resident]));
      const ends = [slope - error, slope + error].map((end) => formatNumber(end, 0));
      note(`resident memory ${formatNumber(slope, 0)} [${ends.join(", ")}] bytes per step`);
      if (steps < 1000) return; // too few for a slope
      await attempt(
        "resident memory is flat",
        () => assert.ok(slope - error < MOST_BYTES_PER_STEP, `${slope} bytes per step`),
      );
    });
  },
};

/**
 * Fits a line by least squares: its slope and half the width of the 95 % interval. It goes through the lowest
 * points of blocks, where the garbage has just been collected.
 */
function fitLine(points: [number, number][]): { slope: number; error: number } {
  const blocks = 20;
  const size = Math.ceil(points.length / blocks);
  const lowest = Array.from({ length: Math.ceil(points.length / size) }, (_, block) => {
    const some = points.slice(block * size, (block + 1) * size);
    return [mean(some.map(([x]) => x)), Math.min(...some.map(([, y]) => y))];
  });
  const [middle, height] = [mean(lowest.map(([x]) => x)), mean(lowest.map(([, y]) => y))];
  const spread = lowest.reduce((sum, [x]) => sum + (x - middle) ** 2, 0);
  const slope = lowest.reduce((sum, [x, y]) => sum + (x - middle) * (y - height), 0) / spread;
  const squares = lowest.reduce((sum, [x, y]) => sum + (y - height - slope * (x - middle)) ** 2, 0);
  const degrees = lowest.length - 2;
  return { slope, error: studentQuantile(0.025, degrees) * Math.sqrt(squares / degrees / spread) };
}
