import assert from "node:assert/strict";
import { join } from "@std/path";
import { z } from "zod";
import { kubernetesJob } from "../../cli/compare/kubernetes.ts";
import { formatSlurmScript, parseSettings } from "../../cli/compare/slurm.ts";
import { quoteShell } from "../../cli/shared/terminal.ts";
import { selectExperiments } from "../../lib/experiments/experiments.ts";
import { describeRun } from "../../lib/experiments/manifest.ts";
import { planRuns } from "../../lib/experiments/plan.ts";
import { PROJECT } from "../testing/sources.ts";

const { experiments } = selectExperiments(["dynamic"]);
const RUNS = await Promise.all(
  planRuns({ experiments, seeds: [0, 1, 2, 3, 4] }).map((run) =>
    describeRun(run, {
      commit: null,
      data: { name: "CIFAR-10", fingerprint: "ab" },
      weights: "w",
      threads: 3,
    })
  ),
);
const OPTIONS = { folder: "/shared/a sweep", runs: RUNS, staleAfter: 180, atOnce: null };

Deno.test("a SLURM script has the settings, requeues, and trains the runs that are left", () => {
  const script = formatSlurmScript(
    [0, 2, 3, 4],
    "compare-1",
    parseSettings(["partition=gpu", "gres=gpu:1"]),
    OPTIONS,
  );
  assert.equal(
    script,
    `#!/bin/sh
#SBATCH --job-name=compare-1
#SBATCH --array=0,2-4
#SBATCH --output='/shared/a sweep/logs'/%A_%a.out
#SBATCH --cpus-per-task=3
#SBATCH --signal=B:TERM@120
#SBATCH --open-mode=append
#SBATCH --partition=gpu
#SBATCH --gres=gpu:1
#SBATCH --requeue
# Before its time is over a run is told to save; it requeues itself and resumes.
cd ${quoteShell(PROJECT.replace(/\/$/, ""))}
exec ./deno task compare --work '/shared/a sweep' --task "$SLURM_ARRAY_TASK_ID" --stale-after 180
`,
  );
  const limited = formatSlurmScript([0], "compare-1", parseSettings(["cpus=8"]), { ...OPTIONS, atOnce: 2 });
  assert.match(limited, /^#SBATCH --array=0%2$/m);
  assert.match(limited, /^#SBATCH --cpus-per-task=8$/m);
  assert.doesNotMatch(limited, /--time/);
});

for (
  const [time, seconds] of [["5", 60], ["2:30", 30], ["10", 120], ["1:00:00", 120], ["1-0", 120], [
    "0:3:20",
    40,
  ]] as const
) {
  Deno.test(`a job of ${time} is told to save ${seconds} s before its end`, () => {
    const script = formatSlurmScript([0], "compare-1", parseSettings([`time=${time}`]), OPTIONS);
    assert.match(script, new RegExp(`--signal=B:TERM@${seconds}$`, "m"));
  });
}

Deno.test("settings that would break the script are refused", () => {
  for (
    const [settings, words] of [
      [["array=3"], /Cannot use array=3 for SLURM: a sweep sets array itself/],
      [["time=3; rm -r /"], /has a character/],
      [["time=3\n#SBATCH --wrap=x"], /has a character/],
      [["Time=3"], /must be KEY=VALUE/],
      [["cpus=3", "cpus-per-task=4"], /cpus-per-task is given twice/],
    ] as const
  ) {
    assert.throws(() => parseSettings(settings), words);
  }
});

Deno.test("a Kubernetes job fits the schema of Kubernetes", () => {
  const path = join(PROJECT, "tests/testdata/kubernetes_job.json");
  const schema = z.fromJSONSchema(JSON.parse(Deno.readTextFileSync(path)));
  const job = kubernetesJob("registry/image:1", { ...OPTIONS, atOnce: 2 });
  assert.deepEqual(schema.safeParse(job).error?.issues ?? [], []);
  assert.deepEqual([job.spec.completions, job.spec.parallelism], [5, 2]);
  assert.ok(!schema.safeParse({ ...job, spec: { ...job.spec, backofLimit: 1 } }).success);
});
