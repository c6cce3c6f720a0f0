import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { writeText } from "../../lib/support/write_files.ts";
import { print, printMessage, showPath } from "../shared/terminal.ts";
import type { SubmitOptions } from "./slurm.ts";

/** Writes the Indexed Job of a sweep to `kubernetes.yaml` in its folder, or prints it. */
export function writeKubernetesJob(image: string, options: SubmitOptions): void {
  if (!/^[\w./:@-]+$/.test(image)) {
    throw new InputError({ what: `use the image ${image}`, why: "that is no name of an image" });
  }
  const job = formatKubernetesJob(image, options);
  if (options.dryRun) return print(job.trimEnd());
  const path = join(options.folder, "kubernetes.yaml");
  writeText(path, job);
  printMessage(
    `Written to ${showPath(path)}: enter your volume claims, then submit it by \`kubectl apply -f ${
      showPath(path)
    }\`.`,
  );
}

/** Formats an Indexed Job: index I trains run I. */
export function formatKubernetesJob(
  image: string,
  { runs, staleAfter, atOnce }: Pick<SubmitOptions, "runs" | "staleAfter" | "atOnce">,
): string {
  return `apiVersion: batch/v1
kind: Job
metadata:
  name: compare-${runs[0].id.slice(0, 8)}
spec:
  completionMode: Indexed
  completions: ${runs.length}
  parallelism: ${atOnce ?? runs.length}
  backoffLimitPerIndex: 3
  podReplacementPolicy: Failed # never two pods of one run
  podFailurePolicy:
    rules:
      - action: Ignore # stopped and saved: try again, as often as it takes
        onExitCodes: { containerName: train, operator: In, values: [75] }
      - action: Ignore # drained or preempted
        onPodConditions: [{ type: DisruptionTarget, status: "True" }]
      - action: FailIndex # what was planned cannot be trained: another try would not help
        onExitCodes: { containerName: train, operator: In, values: [2] }
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 120 # to save
      securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 }
      containers:
        - name: train
          image: ${image}
          args: [task, compare, --work, /runs, --task, $(JOB_COMPLETION_INDEX), --stale-after, "${staleAfter}"]
          resources:
            requests: { cpu: "${runs[0].threads}", memory: 2Gi }
          volumeMounts:
            - { name: runs, mountPath: /runs }
            - { name: data, mountPath: /data, readOnly: true }
      volumes:
        - { name: runs, persistentVolumeClaim: { claimName: runs } } # ReadWriteMany, with the planned folder
        - { name: data, persistentVolumeClaim: { claimName: data } } # CIFAR-10 and the backbone's weights
`;
}
