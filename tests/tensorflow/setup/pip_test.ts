import assert from "node:assert/strict";
import { join } from "@std/path";
import type { SetupContext } from "../../../lib/tensorflow/setup/context.ts";
import { explainFailure } from "../../../lib/tensorflow/setup/program.ts";
import { createPipProgress } from "../../../lib/tensorflow/setup/python.ts";

const CONTEXT = { log: { path: join(Deno.cwd(), ".tensorflow/setup.log") } } as SetupContext;

/** pip's output, and the expected message. */
const FAILURES: [output: string, told: RegExp][] = [
  [
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    /: the disk is full\. Free some space and /,
  ],
  [
    "WARNING: Retrying … Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/x/\n" +
    "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)\n" +
    "ERROR: No matching distribution found for x==1",
    /: the network, or the package index on it, does not answer\. Check the connection and pip's settings/,
  ],
  ["SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] …", /certificate is not trusted/],
  [
    "ERROR: No matching distribution found for tensorflow-cpu==2.21.0",
    /: the package index has no fitting package\./,
  ],
  [
    "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/p/x'",
    /: a file may not be written\./,
  ],
  ["Segmentation fault", /: pip failed\. Fix the cause and /],
];

Deno.test("a failure is reported in one line with reason, remedy and the log's path", () => {
  for (const [output, told] of FAILURES) {
    const { message, problem } = explainFailure({ what: "install x", program: "pip", output }, CONTEXT);
    assert.equal(problem.code, "install-failed");
    assert.match(message, told);
    assert.match(message, /^Cannot install x: .* and try again; details are in \.tensorflow\/setup\.log\.$/);
  }
});

Deno.test("progress follows pip's files and bytes", async () => {
  const folder = await Deno.makeTempDir();
  const progress = createPipProgress(folder);
  progress.read("Looking in indexes: https://mirror.example/simple");
  assert.equal(progress.state(), "asking the package index");
  progress.read("  Downloading nvidia_cublas_cu12-12.8.4.1-py3-none-manylinux_2_27_x86_64.whl (594.3 MB)");
  assert.equal(progress.state(), "nvidia_cublas_cu12 12.8.4.1: 0.0 of 594.3 MB");
  await Deno.mkdir(join(folder, "pip-unpack-x1"));
  const file = join(
    folder,
    "pip-unpack-x1",
    "nvidia_cublas_cu12-12.8.4.1-py3-none-manylinux_2_27_x86_64.whl",
  );
  await Deno.truncate((await Deno.writeFile(file, new Uint8Array()), file), 1_500_000);
  assert.equal(progress.state(), "nvidia_cublas_cu12 12.8.4.1: 1.5 of 594.3 MB");
  // older ones print the address
  progress.read(
    "  Downloading https://mirror.example/a/b/tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl (572.6 MB)",
  );
  assert.equal(progress.state(), "tensorflow 2.21.0: 0.0 of 572.6 MB");
  progress.read("  Using cached torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl");
  assert.equal(progress.state(), "torch 2.13.0+cpu:");
  progress.read("Installing collected packages: tensorflow");
  assert.equal(progress.state(), "unpacking");
  await Deno.remove(folder, { recursive: true });
});
