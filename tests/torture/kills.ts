/**
 * Trainings that are killed, stopped, or lose their terminal and pipes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { tryLockFile } from "../../lib/support/lock.ts";
import { taskArguments } from "../testing/command.ts";
import { PROJECT } from "../testing/sources.ts";
import {
  checkRun,
  epochsDone,
  finishRun,
  listTemporary,
  type Reference,
  RESUME,
  RUN,
  startArguments,
  startTask,
  trainReference,
} from "./run.ts";
import type { Kind, OpenRow, Torture } from "./runner.ts";

const START_UP = 700; // milliseconds, about, before the first step

export const KILLS: Kind = {
  name: "kills",
  async run(torture) {
    const reference = await trainReference(join(torture.folder, "reference"), torture.count(40, 4));
    const half = torture.count(50, 1);
    if (!torture.quick) await tryStops(torture, reference);
    if (!torture.quick) {
      await torture.row("kill -9 at random moments", ["Linux"], async (row) => {
        await killAgainAndAgain(torture, reference, row, half, "moments", () => {
          const delay = START_UP * row.random.next() + 1500 * row.random.next();
          return { how: `after ${Math.round(delay)} ms`, delay, through: [] };
        });
      });
    }
    await torture.row("kill -9 while a checkpoint is written", ["Linux", "program strace"], async (row) => {
      await killAgainAndAgain(torture, reference, row, half, "writing", () => {
        const call = ["fsync", "rename", "write"][row.random.integer(3)];
        const when = (call === "write" ? 30 : 1) + row.random.integer(1.5 * reference.epochs); // start-up writes as well
        const inject = `${call}:signal=SIGKILL:when=${when}`;
        const through = [
          "strace",
          "-f",
          "-qqq",
          "-o",
          "/dev/null",
          "-e",
          `trace=${call}`,
          "-e",
          `inject=${inject}`,
        ];
        return { how: inject, delay: null, through };
      });
    });
  },
};

interface Kill {
  how: string;
  /** After so many milliseconds; null where strace does it. */
  delay: number | null;
  through: string[];
}

/** Kills a training, looks at what is left, resumes it, kills it again …, and finishes it at the end. */
async function killAgainAndAgain(
  { folder }: Torture,
  reference: Reference,
  row: OpenRow,
  kills: number,
  name: string,
  next: () => Kill,
) {
  const runs = join(folder, name);
  const run = join(runs, RUN);
  await Deno.mkdir(runs);
  let [left, done, killed] = [0, -1, 0];
  for (let kill = 0; kill < kills; kill++) {
    const { how, delay, through } = next();
    await row.try(how, async () => {
      const args = done < 0 ? startArguments(reference.epochs) : RESUME;
      const training = startTask("train", args, runs, { through });
      const timer = delay === null ? 0 : setTimeout(() => training.process.kill("SIGKILL"), delay);
      const { signal, code, stderr } = await training.end;
      clearTimeout(timer);
      assert.ok(signal === "SIGKILL" || code === 137 || code === 0, stderr);
      if (code !== 0) killed++;
      if (await exists(run)) {
        left += listTemporary(run).length;
        done = await checkRun(run, reference, Math.max(done, epochsDone(stderr)));
      }
      if (done === reference.epochs) {
        await Deno.remove(runs, { recursive: true });
        await Deno.mkdir(runs);
        done = -1;
      }
    });
  }
  await row.try("resumed to its end", () => finishRun(runs, reference));
  row.note(`${killed} killed in time, ${left} left a half-written file`);
}

/** A training that meets one disturbance; what it may do: end by itself, or stop and save. */
interface Stop {
  how: string;
  through?: string[];
  /** Done to the process after the third epoch. */
  disturb?: (process: Deno.ChildProcess) => Promise<void> | void;
  /** It must go on to its end by itself. */
  goesOn?: boolean;
}

const shell = (words: string) => ["sh", "-c", words, "sh"];
const signals = (...names: Deno.Signal[]): Stop["disturb"] => async (process) => {
  for (const name of names) {
    process.kill(name);
    await sleep(20);
  }
};

const STOPS: Stop[] = [
  { how: "SIGTERM", disturb: signals("SIGTERM") },
  { how: "SIGINT", disturb: signals("SIGINT") },
  { how: "SIGINT twice", disturb: signals("SIGINT", "SIGINT") },
  { how: "SIGINT and SIGTERM at once", disturb: signals("SIGINT", "SIGTERM") },
  { how: "SIGHUP without a terminal", disturb: signals("SIGHUP"), goesOn: true },
  { how: "nohup, SIGHUP", through: ["nohup"], disturb: signals("SIGHUP"), goesOn: true },
  { how: "stdin closed", through: shell('exec "$@" <&-'), goesOn: true },
  { how: "stdout full", through: shell('exec "$@" >/dev/full') },
  { how: "stderr full", through: shell('exec "$@" 2>/dev/full'), goesOn: true },
  { how: "both full", through: shell('exec "$@" >/dev/full 2>&1') },
  { how: "stdout: a reader that has gone", through: shell('"$@" | true') },
  { how: "stderr: a reader that has gone", through: shell('{ "$@" 2>&1 >&3 | true; } 3>&1'), goesOn: true },
  {
    how: "stderr: a reader that stops reading",
    through: shell('{ "$@" 2>&1 >&3 | head -n 7; } 3>&1 >&2'),
    goesOn: true,
  },
  {
    how: "stderr: a slow reader",
    through: shell('{ "$@" 2>&1 >&3 | while read -r line; do sleep 0.02; done; } 3>&1'),
    goesOn: true,
  },
];

async function tryStops({ folder, row }: Torture, reference: Reference): Promise<void> {
  await row("signals, closed and full pipes", ["Linux"], async ({ try: attempt }) => {
    for (const [index, { how, through, disturb, goesOn = false }] of STOPS.entries()) {
      const runs = join(folder, `stop-${index}`);
      await attempt(how, async () => {
        let isDisturbed = disturb === undefined;
        const training = startTask("train", startArguments(reference.epochs), runs, {
          through,
          onText: (text) => {
            if (isDisturbed || epochsDone(text) < 3) return;
            isDisturbed = true;
            void disturb!(training.process);
          },
        });
        const { code, stderr } = await training.end;
        assert.ok(!/^\s+at .*:\d+:\d+|This is a bug/m.test(stderr), stderr.slice(-500));
        const done = await checkRun(join(runs, RUN), reference, training.done());
        if (goesOn) {
          assert.equal(
            done,
            reference.epochs,
            `it ended after epoch ${done} with code ${code}: ${stderr.slice(-300)}`,
          );
        }
        await finishRun(runs, reference);
      });
    }
  });
  await row("a terminal that closes", ["Linux", "program python3"], async ({ try: attempt }) => {
    const runs = join(folder, "terminal");
    await attempt("terminal.py, closed after the third epoch", async () => {
      const terminal = new Deno.Command("python3", {
        args: [
          join(PROJECT, "tests/testing/terminal.py"),
          Deno.execPath(),
          ...taskArguments("train"),
          ...startArguments(reference.epochs),
        ],
        cwd: PROJECT,
        env: { NO_COLOR: "1", INIT_CWD: "", CHECKPOINTS_DIR: runs },
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const typed = terminal.stdin.getWriter();
      let text = "";
      const output = terminal.stdout.pipeThrough(new TextDecoderStream()).getReader();
      while (!/epoch +4\/40/.test(text)) {
        const { value, done } = await output.read();
        assert.ok(!done, text.slice(-300));
        text += value;
      }
      await typed.write(new TextEncoder().encode("close\n"));
      await terminal.status;
      await waitForEnd(join(runs, RUN));
      const done = await checkRun(join(runs, RUN), reference, 3);
      assert.ok(done < reference.epochs, "it went on without a terminal");
      await finishRun(runs, reference);
    });
  });
}

/** Waits until no process holds a run's lock. */
async function waitForEnd(run: string): Promise<void> {
  for (let turn = 0; turn < 600; turn++) {
    const lock = tryLockFile(join(run, ".lock"), () => {});
    if (lock !== null) return lock[Symbol.dispose]();
    await sleep(50);
  }
  throw new Error("the training did not end");
}

const sleep = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));
const exists = (path: string) => Deno.stat(path).then(() => true, () => false);
