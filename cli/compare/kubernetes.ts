import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { writeText } from "../../lib/support/write_files.ts";
import { print, printMessage, quoteShell, showPath } from "../shared/terminal.ts";
import type { SubmitOptions } from "./slurm.ts";

/** Writes the Indexed Job of a sweep to `kubernetes.json` in its folder, or prints it. */
export function writeKubernetesJob(image: string, options: SubmitOptions): void {
  if (!/^[\w./:@-]+$/.test(image)) {
    throw new InputError({ what: `use the image ${image}`, why: "that is no name of an image" });
  }
  const job = JSON.stringify(kubernetesJob(image, options), null, 2);
  if (options.dryRun) return print(job);
  const path = join(options.folder, "kubernetes.json");
  writeText(path, job + "\n");
  printMessage(`Written: \`kubectl apply -f ${quoteShell(showPath(path))}\` starts it (docs/cluster.md).`);
}

/** Makes an Indexed Job, whose index I trains run I, with the volume claims `runs` and `data`. */
export function kubernetesJob(
  image: string,
  { runs, staleAfter, atOnce }: Pick<SubmitOptions, "runs" | "staleAfter" | "atOnce">,
) {
  const onExitCode = (code: number) => ({ containerName: "train", operator: "In", values: [code] });

  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: `compare-${runs[0].id.slice(0, 8)}` },
    spec: {
      completionMode: "Indexed",
      completions: runs.length,
      parallelism: atOnce ?? runs.length,
      backoffLimitPerIndex: 3,
      podReplacementPolicy: "Failed", // never two pods of one run
      podFailurePolicy: {
        rules: [
          // drained, preempted, or stopped and saved: as often as it takes
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          { action: "Ignore", onExitCodes: onExitCode(75) },
          // another try would not help
          { action: "FailIndex", onExitCodes: onExitCode(2) },
        ],
      },
      template: {
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: 120, // to save
          securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 },
          containers: [{
            name: "train",
            image,
            args: [
              ...["task", "compare", "--work", "/runs", "--task", "$(JOB_COMPLETION_INDEX)"],
              ...["--stale-after", String(staleAfter)],
            ],
            resources: { requests: { cpu: String(runs[0].threads), memory: "2Gi" } },
            volumeMounts: [
              { name: "runs", mountPath: "/runs" },
              { name: "data", mountPath: "/app/data", readOnly: true },
            ],
          }],
          volumes: ["runs", "data"].map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
        },
      },
    },
  };
}
