import assert from "node:assert/strict";
import { join } from "@std/path";
import type { SetupContext } from "../../../lib/tensorflow/setup/context.ts";
import { explainFailure } from "../../../lib/tensorflow/setup/program.ts";

const CONTEXT = { log: { path: join(Deno.cwd(), ".tensorflow/setup.log") } } as SetupContext;

/** What pip said, and what is to be told. */
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
  ["Segmentation fault", /: pip failed\. Mend the cause and /],
];

Deno.test("a failure is told in one line with its reason, what to do, and the log's path", () => {
  for (const [output, told] of FAILURES) {
    const { message, problem } = explainFailure({ what: "install x", program: "pip", output }, CONTEXT);
    assert.equal(problem.code, "install-failed");
    assert.match(message, told);
    assert.match(message, /^Cannot install x: .* and try again; details are in \.tensorflow\/setup\.log\.$/);
  }
});
