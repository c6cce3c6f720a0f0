import assert from "node:assert/strict";
import { toFileUrl } from "@std/path";
import { wordInputError } from "../../cli/shared/command.ts";
import { InputError, type Problem } from "../../lib/support/errors.ts";
import { runCommand } from "../testing/command.ts";

const ROOT = new URL("../../", import.meta.url);

/** Starts a program whose main function is `body`, with its streams redirected as in a shell. */
function start(body: string, args: string[] = [], redirections = ""): Deno.ChildProcess {
  const code = `
    import { runCommand } from "${new URL("cli/shared/command.ts", ROOT)}";
    import { InputError } from "${new URL("lib/support/errors.ts", ROOT)}";
    import { Interrupted, yieldToEventLoop, watchInterrupts } from "${new URL(
    "lib/support/interrupt.ts",
    ROOT,
  )}";
    const command = { name: "x", summary: "Does nothing.", options: {}, positionals: { name: "A", help: "a", from: 0, to: 9 } };
    await runCommand(command, async ({ positionals: args }) => { ${body} });`;
  return new Deno.Command("sh", {
    args: [
      "-c",
      `exec "$0" "$@" ${redirections}`,
      Deno.execPath(),
      ...["eval", "--quiet", "--no-check", code, ...args],
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(body: string, args?: string[], redirections?: string) {
  const { code, stdout, stderr } = await start(body, args, redirections).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("a finished command exits with 0, or with the code it returns", async () => {
  assert.deepEqual(await run("console.log(args.join())", ["a", "b"]), {
    code: 0,
    stdout: "a,b\n",
    stderr: "",
  });
  assert.equal((await run("return 3")).code, 3);
});

Deno.test("a finished command exits although a handle is open", async () => {
  assert.equal((await run("setInterval(() => {}, 1000); watchInterrupts();")).code, 0);
});

Deno.test("an input error is one line on standard error, without a stack, and exit code 2", async () => {
  const result = await run('throw new InputError("Cannot read x:\\nit is empty.")');
  assert.deepEqual(result, { code: 2, stdout: "", stderr: "error: Cannot read x: it is empty.\n" });
});

Deno.test("a system error is one line with the path and the remedy, and exit code 2", async () => {
  const { code, stderr } = await run('Deno.readTextFileSync("x".repeat(300))');
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^error: Cannot read x+: no file or folder may have a name that long; give a shorter one\.\n$/,
  );
});

Deno.test("memory that does not suffice is one line with a remedy, and exit code 2", async () => {
  assert.deepEqual(await run("new Uint8Array(2 ** 45)"), {
    code: 2,
    stdout: "",
    stderr:
      "error: Cannot continue: there is not enough memory; close other programs, or use smaller batches.\n",
  });
});

Deno.test("a file beyond the task's permissions is one line, and exit code 2", async () => {
  const { code, stderr } = await runCommand("runs", [], "/proc/self");
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^error: Requires all access to "\/proc\/self.*which deno\.json does not grant to this task; .*cli\/runs\.ts.*\n$/,
  );
});

Deno.test("an error of the TensorFlow package is worded with this project's remedy", async () => {
  const fail = (body: string) =>
    run(`const { TensorFlowError, SetupInterrupted } = await import(
      "${new URL("lib/tensorflow/errors.ts", ROOT)}"); ${body}`);
  const problem = { code: "no-gpu", what: "compute on a GPU", why: "none answers", advice: "buy one" };
  assert.deepEqual(await fail(`throw new TensorFlowError(${JSON.stringify(problem)})`), {
    code: 2,
    stdout: "",
    stderr: "error: Cannot compute on a GPU: none answers; check that `nvidia-smi` lists one, " +
      "or run `deno task setup --device gpu`, or use --device cpu.\n",
  });
  const { code, stderr } = await fail(
    `throw new TensorFlowError(${JSON.stringify({ ...problem, code: "install-failed" })})`,
  );
  assert.deepEqual([code, stderr], [2, "error: Cannot compute on a GPU: none answers. Buy one.\n"]);
  assert.equal((await fail("throw new SetupInterrupted()")).code, 130);
});

Deno.test("an error with fields is worded with the option at fault and what to type next", () => {
  const word = (problem: Problem) => wordInputError(new InputError(problem));
  assert.equal(word({ what: "read x", why: "it is empty" }), "Cannot read x: it is empty.");
  assert.equal(
    word({
      what: "use 3 as the batch size",
      why: "it is odd",
      setting: "batchSize",
      next: [{ set: { batchSize: 4, augment: false } }, { task: "setup", set: { device: "gpu" } }, {
        advice: "wait",
      }],
    }),
    "Cannot use 3 as the batch size (--batch-size): it is odd; use --batch-size 4 --no-augment, " +
      "or run `deno task setup --device gpu`, or wait.",
  );
});

Deno.test("help goes to standard output with exit code 0", async () => {
  const result = await run('console.log("not reached")', ["--help"]);
  assert.equal(result.code, 0);
  assert.equal(result.stderr, "");
  assert.match(result.stdout, /^Usage: x \[options\] \[A...\]\n\nDoes nothing\.\n/);
  assert.doesNotMatch(result.stdout, /not reached/);
});

Deno.test("an interruption exits with 130", async () => {
  const result = await run('throw new Interrupted("Saved; resume with --resume x.")');
  assert.deepEqual(result, { code: 130, stdout: "", stderr: "Saved; resume with --resume x.\n" });
});

Deno.test("a bug shows its stack, its cause and how to report it", async () => {
  const result = await run('throw new TypeError("x is not a function", { cause: new Error("deep") })');
  assert.equal(result.code, 1);
  assert.match(result.stderr, /^TypeError: x is not a function\n\s+at /);
  assert.match(result.stderr, /deep/);
  assert.match(result.stderr, /This is a bug in the program: please report it .*\n$/);
  assert.equal((await run("throw null")).code, 1);
  assert.equal((await run('await Promise.reject("no error object")')).code, 1);
});

Deno.test("a full disk is reported in one line", { ignore: !isFile("/dev/full") }, async () => {
  const result = await run('await Deno.writeTextFile("/dev/full", "x")');
  const stderr = "error: Cannot write /dev/full: the disk is full; free some space and try again.\n";
  assert.deepEqual(result, { code: 2, stdout: "", stderr });
});

Deno.test("output that cannot be written is one sentence; lost messages change nothing", {
  ignore: !isFile("/dev/full"),
}, async () => {
  const terminal = new URL("cli/shared/terminal.ts", ROOT), live = new URL("cli/shared/live.ts", ROOT);
  const body = `
    const { print, printMessage } = await import("${terminal}");
    const { createLive } = await import("${live}");
    const bar = await createLive({ interactive: true });
    for (let step = 0; step < 3; step++) bar.draw(() => "step", { now: true });
    bar.print("epoch 1");
    printMessage("note");
    print("result");`;
  assert.deepEqual(await run(body, [], "2>/dev/full"), { code: 0, stdout: "result\n", stderr: "" });
  const { code, stderr } = await run(body, [], ">/dev/full");
  assert.equal(code, 2);
  assert.match(
    stderr,
    /error: Cannot print the result: the disk is full; free some space and try again\.\n$/,
  );
  const input = 'throw new InputError("Cannot do it.")';
  assert.deepEqual(await run(input, [], "2>/dev/full"), { code: 2, stdout: "", stderr: "" });
  assert.deepEqual(await run("throw new TypeError()", [], "2>/dev/full"), {
    code: 1,
    stdout: "",
    stderr: "",
  });
});

Deno.test("a closed output pipe is not an error", async () => {
  const terminal = new URL("cli/shared/terminal.ts", ROOT);
  const child = start(`const { print } = await import("${terminal}"); for (;;) print("x".repeat(65536));`);
  await child.stdout.cancel();
  const stderr = await new Response(child.stderr).text();
  assert.equal((await child.status).code, 141);
  assert.equal(stderr, "");
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} is handled between long computations, with time to save`, async () => {
    const child = start(`
      using watch = watchInterrupts();
      console.log("ready");
      while (!watch.signal.aborted) await yieldToEventLoop();
      throw new Interrupted("saved");`);
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill(signal);
    const stderr = await new Response(child.stderr).text();
    assert.deepEqual([(await child.status).code, stderr], [130, "saved\n"]);
    await reader.cancel();
  });
}

Deno.test("a second Ctrl-C ends a program that does not react to the first", async () => {
  const child = start(`
    const watch = watchInterrupts();
    console.log("ready");
    while (!watch.signal.aborted) await yieldToEventLoop();
    console.log("first");
    await new Promise((resolve) => setTimeout(resolve, 60_000));`);
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGINT");
  await reader.read();
  const again = setInterval(() => child.kill("SIGINT"), 100); // those that follow at once count as the first
  assert.equal((await child.status).code, 130);
  clearInterval(again);
  await reader.cancel();
  await child.stderr.cancel();
});

const PTY = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";

Deno.test("on a terminal the bar is drawn with colours, and without where NO_COLOR asks so", {
  ignore: Deno.build.os === "windows" || !await hasPython(),
}, async () => {
  const code = `
    import { createLive, formatBar } from "${new URL("cli/shared/live.ts", ROOT)}";
    const live = await createLive();
    live.draw(() => formatBar(0.5, 4, live.color));
    live.print("stays");
    live.clear();`;
  const onTerminal = async (env: Record<string, string>) => {
    const args = ["-c", PTY, Deno.execPath(), "eval", "--quiet", "--no-check", code];
    const command = new Deno.Command("python3", {
      args,
      cwd: ROOT,
      stdin: "null",
      env: { TERM: "xterm", ...env },
    });
    return new TextDecoder().decode((await command.output()).stdout);
  };
  const drawn = (bar: string) => [bar, "stays\r", bar, ""];
  // deno-lint-ignore no-control-regex
  const cursor = /\x1b\[(\?2026[hl]|\d*[AGK])/g; // synchronised output, moves, erasures
  const lines = async (noColor: string) =>
    (await onTerminal({ NO_COLOR: noColor })).replaceAll(cursor, "").split("\n");
  assert.deepEqual(await lines(""), drawn("\x1b[36m━━\x1b[2m──\x1b[0m\r"));
  assert.deepEqual(await lines("1"), drawn("━━──\r"));
  assert.equal(await onTerminal({ TERM: "dumb" }), "stays\r\n");
});

function isFile(path: string): boolean {
  try {
    Deno.statSync(toFileUrl(path));
    return true;
  } catch {
    return false;
  }
}

async function hasPython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["-c", "import pty"] }).output()).success;
  } catch {
    return false;
  }
}
