import { COLUMNS, sizeColumns } from "../../bench/cases.ts";
import { summariseColumn } from "../../bench/columns.ts";
import type { BenchResult } from "../../bench/run_bench.ts";

const [STEP] = COLUMNS;
const MEMORY = COLUMNS.find(({ id }) => id === "memory")!;
const [SINGLE] = sizeColumns([1]);

const counts = (rows: string[]) => new Map(rows.map((row) => [row, 8]));

/** A synthetic result of three rounds, in the last of which the machine was half as fast. */
export function sampleResult(): BenchResult {
  const step = new Map([
    ["plain", [120, 130, 260]],
    ["best", [50, 50, 100]],
    ["compiled", [60, 55, 130]],
    ["ours", [40, 40, 80]],
  ]);
  const single = new Map([["best", [6, 6, 6]], ["compiled", [3, 3, 3]], ["ours", [2, 2, 2]]]);
  const memory = new Map([["best", [1000, 1000, 1000]], ["ours", [500, 600, 700]]]);
  return {
    date: "2026-01-02T03:04:05.678Z",
    isQuick: false,
    machine: { cpu: "Some CPU", cores: 2, memory: 8, system: "linux x86_64" },
    loadAverage: [0.1, 0.2, 0.3],
    warning: null,
    own: { device: "cpu", tensorflow: "2.21.0", tfjs: "4.22.0", deno: "2.9.8", threads: 2 },
    pytorch: {
      ...{ torch: "2.13.0+cpu", python: "3.12.1", device: "cpu", threads: 2 },
      ...{ allocator: "mimalloc", capability: "AVX512" },
    },
    commit: "0123456789",
    data: "CIFAR-10",
    weights: "random",
    settings: { rounds: 3, warmUp: 1, turn: 300, batchSize: 128, epochImages: 2560 },
    agreement: [{ row: "ours", reference: "best", distances: [3e-6, 4e-6, 1e-3], limit: 5e-5 }],
    columns: [
      summariseColumn(STEP, { rounds: step, counts: counts([...step.keys()]) }),
      summariseColumn(MEMORY, { rounds: memory, counts: counts([...memory.keys()]) }),
      summariseColumn(SINGLE, { rounds: single, counts: counts([...single.keys()]) }),
    ],
    dataShare: { median: 0.021, minimum: 0.02, low: 0.02, high: 0.022 },
    overhead: { batchSize: 128, milliseconds: 40, outside: 0.0123 },
    profile: null,
    seconds: 600,
  };
}
