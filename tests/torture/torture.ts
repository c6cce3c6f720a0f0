/**
 * `deno task torture`: breaks everything that can break around a training, and counts what was lost.
 *
 * Each kind of fault runs in a process of its own, so that a crash or a hang is one more row and not the end.
 *
 * @module
 */
import { availableParallelism, cpus, release } from "node:os";
import { runCommand } from "../../cli/shared/command.ts";
import type { Command, CommandLine } from "../../cli/shared/options.ts";
import { formatTable } from "../../cli/shared/table.ts";
import { outputWidth, print, printMessage } from "../../cli/shared/terminal.ts";
import { ensureTensorFlow } from "../../lib/setup.ts";
import { startProcess } from "../../lib/support/processes.ts";
import { boolean, choice, integer } from "../../lib/support/schema.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { CRASHES } from "./crashes.ts";
import { DISKS } from "./disks.ts";
import { ENDURANCE } from "./endurance.ts";
import { KILLS } from "./kills.ts";
import { MUTATIONS } from "./mutations.ts";
import { NETWORKS } from "./networks.ts";
import { NUMBERS } from "./numbers.ts";
import { POWER } from "./power.ts";
import { createTorture, type Kind, type Row } from "./runner.ts";
import { TOGETHER } from "./together.ts";

const KINDS: Kind[] = [
  CRASHES,
  KILLS,
  POWER,
  DISKS,
  MUTATIONS,
  NETWORKS,
  NUMBERS,
  ENDURANCE,
  TOGETHER,
];
const LONGEST_MINUTES = 20; // of one kind

const COMMAND = {
  name: "deno task torture",
  summary: "Tries to lose work: crashes, kills, full disks, damaged files, bad networks and numbers.",
  options: {
    only: {
      schema: choice(KINDS.map(({ name }) => name)).nullable(),
      default: null,
      help: "one kind of fault (default: all)",
    },
    seed: { schema: integer({ from: 0 }), default: 0, help: "random seed", value: "N" },
    quick: { schema: boolean(), default: false, help: "a few tries of each kind, in seconds" },
    json: { schema: boolean(), default: false, help: "print the rows as one JSON object" },
  },
} satisfies Command;

async function main({ values: { only, seed, quick, json } }: CommandLine<typeof COMMAND>): Promise<number> {
  const rows: Row[] = [];
  for (const kind of KINDS.filter(({ name }) => only === null || name === only)) {
    rows.push(...(only === null && !quick ? await runApart(kind, seed) : await run(kind, seed, quick)));
    const lost = rows.filter((row) => row.kind === kind.name).reduce(
      (sum, row) => sum + row.tries - row.survived,
      0,
    );
    if (!json) printMessage(`${kind.name}: ${lost === 0 ? "nothing lost" : `${lost} lost`}`);
  }
  const machine = `${cpus()[0]?.model}, ${availableParallelism()} cores, Linux ${release()}`;
  const isLost = rows.some(({ tries, survived }) => survived < tries);
  print(json ? JSON.stringify({ seed, quick, machine, rows }) : describe(rows, seed));
  return isLost ? 1 : 0;
}

async function run(kind: Kind, seed: number, quick: boolean): Promise<Row[]> {
  await ensureTensorFlow();
  await useNativeTensorFlow({ device: "cpu" });
  const folder = await Deno.makeTempDir({ prefix: "torture_" });
  const torture = createTorture(kind.name, seed, quick, folder);
  try {
    await kind.run(torture);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return torture.rows;
}

async function runApart({ name }: Kind, seed: number): Promise<Row[]> {
  const started = performance.now();
  const args = ["run", "-A", "-q", "--no-check", import.meta.filename!];
  const child = await startProcess(
    Deno.execPath(),
    [...args, "--only", name, "--seed", `${seed}`, "--json"],
    {
      onError: (line) => printMessage(line),
    },
  );
  const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST_MINUTES * 60_000);
  const { stdout, code, signal } = await child.ended;
  clearTimeout(timer);
  try {
    return JSON.parse(stdout).rows;
  } catch {
    const seconds = (performance.now() - started) / 1000;
    const loss = { how: "see above", why: `the process ended with ${signal ?? code}`, times: 1 };
    return [{ kind: name, what: "the whole kind", tries: 1, survived: 0, lost: [loss], seconds }];
  }
}

function describe(rows: readonly Row[], seed: number): string {
  const table = formatTable({
    header: ["kind", "what", "tries", "survived", "lost", "seconds", "note"],
    rows: rows.map(({ kind, what, tries, survived, seconds, needs, note = "" }) =>
      needs === undefined
        ? [kind, what, tries, survived, tries - survived, Math.round(seconds), note]
        : [kind, what, "–", "–", "–", "–", `not run: needs ${needs}`]
    ),
    prose: 6,
    optional: [5], // seconds
    width: outputWidth(),
  });
  const losses = rows.flatMap(({ kind, what, lost }) =>
    lost.map(({ how, why, times }) =>
      `lost: ${what}: ${how}${
        times > 1 ? ` (and ${times - 1} more)` : ""
      }\n  ${why}\n  deno task torture --only ${kind} --seed ${seed}`
    )
  );
  return [table, ...losses].join("\n");
}

if (import.meta.main) await runCommand(COMMAND, main);
