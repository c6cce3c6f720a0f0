/** A real SLURM on this machine alone: munge, a controller and two nodes with two processors each. */
import { join } from "@std/path";
import { startProcess } from "../../lib/support/processes.ts";

export const NODES = ["n1", "n2"] as const;
type Node = typeof NODES[number];

/** A cluster that runs. */
export interface Cluster extends AsyncDisposable {
  /** Runs one of SLURM's commands and returns what it prints; nothing where it fails. */
  ask(command: string, ...args: string[]): Promise<string>;
  /** Kills a node's daemon, and with `jobs` all that it runs, as a power cut does. */
  killNode(node: Node, jobs: boolean): Promise<void>;
  startNode(node: Node): Promise<void>;
  killController(): Promise<void>;
  startController(): Promise<void>;
}

/** Tells why no cluster can be started here; null if one can. */
export async function whyNoCluster(): Promise<string | null> {
  for (const program of ["munged", "slurmctld", "slurmd"]) {
    const { code } = await run("sh", ["-c", `command -v ${program}`]);
    if (code !== 0) return `${program} is not installed (apt-get install slurm-wlm munge)`;
  }
  return Deno.uid() === 0 ? null : "SLURM's daemons must be started as root";
}

/** Starts a cluster whose files are in a folder; SLURM's commands of this process then ask it. */
export async function startCluster(folder: string): Promise<Cluster> {
  Deno.mkdirSync(join(folder, "state"), { recursive: true });
  Deno.chmodSync(folder, 0o755);
  Deno.writeFileSync(join(folder, "munge.key"), crypto.getRandomValues(new Uint8Array(1024)), {
    mode: 0o400,
  });
  Deno.writeTextFileSync(join(folder, "slurm.conf"), formatConfiguration(folder));
  Deno.env.set("SLURM_CONF", join(folder, "slurm.conf"));
  const file = (name: string) => join(folder, name);
  const pidOf = (name: string) => Number(Deno.readTextFileSync(file(`${name}.pid`)));
  await must("munged", [
    "--force",
    ...["key", "pid", "log"].map((kind) =>
      `--${kind}-file=${file(`${kind === "key" ? "munge" : "munged"}.${kind}`)}`
    ),
    `--socket=${file("munge.sock")}`,
    `--seed-file=${file("munge.seed")}`,
  ]);
  const startController = () => must("slurmctld", []);
  const startNode = (node: Node) => must("slurmd", ["-N", node]);
  await startController();
  for (const node of NODES) await startNode(node);
  return {
    ask: async (command, ...args) => (await run(command, args)).stdout.trim(),
    async killNode(node, jobs) {
      kill(pidOf(`slurmd-${node}`), "SIGKILL");
      if (jobs) { for (const pid of await listProcesses(node)) kill(pid, "SIGKILL"); }
    },
    startNode,
    killController: async () => await Promise.resolve(kill(pidOf("slurmctld"), "SIGKILL")),
    startController,
    async [Symbol.asyncDispose]() {
      for (const name of [...NODES.map((node) => `slurmd-${node}`), "slurmctld", "munged"]) {
        kill(pidOf(name), "SIGTERM");
      }
      for (const node of NODES) for (const pid of await listProcesses(node)) kill(pid, "SIGKILL");
    },
  };
}

function formatConfiguration(folder: string): string {
  const host = Deno.hostname();
  return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=16817
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.sock
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmUser=root
SlurmdUser=root
SlurmdParameters=config_overrides
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd-%n.log
ReturnToService=2
JobRequeue=1
KillWait=10
SlurmdTimeout=20
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=bf_interval=2,sched_interval=2
${
    NODES.map((node, index) =>
      `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${
        16821 + index
      } CPUs=2 CoresPerSocket=2\n`
    ).join("")
  }PartitionName=low Nodes=${NODES.join()} Default=YES PriorityTier=1 State=UP
PartitionName=high Nodes=${NODES.join()} PriorityTier=10 PreemptMode=OFF State=UP
`;
}

/** Lists the processes of the jobs on a node, and those that watch them. */
async function listProcesses(node: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
    if (environment.includes(`SLURMD_NODENAME=${node}\0`)) found.push(Number(name));
  }
  return found;
}

function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !(error instanceof TypeError)) throw error; // it has ended
  }
}

async function run(command: string, args: string[]) {
  const { ended } = await startProcess(command, args);
  return await ended;
}

async function must(command: string, args: string[]): Promise<void> {
  const { code, stderr } = await run(command, args);
  if (code !== 0) throw new Error(`${command} failed: ${stderr}`);
}
