import assert from "node:assert/strict";
import { basename, join } from "@std/path";
import { checkCells } from "../../../notebooks/jupyter/check_cells.ts";
import { CellError, executeNotebook } from "../../../notebooks/jupyter/execute.ts";
import { ensureJupyter } from "../../../notebooks/jupyter/jupyter.ts";
import {
  codeCells,
  formatNotebook,
  listNotebooks,
  type NotebookFile,
  readNotebook,
} from "../../../notebooks/jupyter/notebook_file.ts";
import { runCommand } from "../../testing/command.ts";
import { temporaryFolder } from "../../testing/folder.ts";

/** Writes a notebook of these code cells. */
async function writeNotebook(path: string, ...sources: string[]): Promise<void> {
  const cells = sources.map((source, index): NotebookFile["cells"][number] => ({
    cell_type: "code",
    id: `cell-${index + 1}`,
    metadata: {},
    source,
    outputs: [],
  }));
  await Deno.writeTextFile(path, formatNotebook({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }));
}

Deno.test("every notebook runs offline in a fresh kernel, without changing its file", async () => {
  using folder = temporaryFolder();
  const before = await Promise.all(listNotebooks().map((path) => Deno.readTextFile(path)));
  const { code, stdout, stderr } = await runCommand(
    "notebooks",
    ["--quick", "--into", folder.path],
    folder.path,
  );
  assert.equal(code, 0, stdout + stderr);
  const after = await Promise.all(listNotebooks().map((path) => Deno.readTextFile(path)));
  assert.deepEqual(after.map((text, index) => text === before[index]), before.map(() => true));
  for (const path of listNotebooks()) {
    const executed = readNotebook(join(folder.path, basename(path)));
    const cells = codeCells(executed).map(({ cell }) => cell);
    assert.deepEqual(cells.map(({ execution_count }) => execution_count), cells.map((_, index) => index + 1));
    const outputs = cells.flatMap(({ outputs = [] }) => outputs);
    assert.ok(
      outputs.some(({ data }) => data?.["image/svg+xml"] && /<img .* alt="./.test(String(data["text/html"]))),
      `${path} shows no figure`,
    );
    assert.match(JSON.stringify(outputs[0].data), /Data: synthetic, .* weights: random · [CG]PU, TensorFlow/);
  }
});

Deno.test("the code of all notebooks type-checks", async () => {
  assert.equal(await checkCells(listNotebooks()), "");
});

Deno.test("a type error is reported with notebook, cell and line", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "07_wrong.ipynb");
  await writeNotebook(path, "const count = 1;", "// fine\nconst text: string = count;");
  const report = await checkCells([path]);
  assert.match(report, /07_wrong\.ipynb, cell 2 \(cell-2\), line 2/);
  assert.match(report, /not assignable to type 'string'/);
});

Deno.test("a failing cell ends the notebook and is named; its last output is kept", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "07_fails.ipynb");
  const show =
    'await Deno.jupyter.broadcast("display_data", { data: { "text/plain": "shown" }, metadata: {}, transient: {} });';
  const jupyter = await ensureJupyter();
  await writeNotebook(path, "console.log(1);", `const x = 2;\n${show}`, "x;");
  const numbers: number[] = [];
  const executed = await executeNotebook(path, { jupyter, onCell: (number) => numbers.push(number) });
  assert.deepEqual(numbers, [1, 2, 3]);
  assert.deepEqual(
    codeCells(executed).map(({ cell }) => cell.outputs!.map(({ output_type }) => output_type)),
    [["stream"], ["display_data"], ["execute_result"]],
  );

  await writeNotebook(path, "const y = 1;", "const lost = y;\nmissing();", "console.log('never');");
  await assert.rejects(executeNotebook(path, { jupyter }), (error) => {
    assert.ok(error instanceof CellError);
    assert.match(
      error.message,
      /07_fails\.ipynb: cell 2 \(cell-2: const lost = y;\) failed: ReferenceError: missing is not defined/,
    );
    return true;
  });
});

Deno.test("a cell that writes to the kernel's output, ends the kernel or takes too long is told in a sentence", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "07_odd.ipynb");
  const jupyter = await ensureJupyter();
  const run = async (seconds: number, ...sources: string[]) => {
    await writeNotebook(path, ...sources);
    return await executeNotebook(path, { jupyter, seconds }).catch((error) => error);
  };
  const write = 'Deno.stdout.writeSync(new TextEncoder().encode("no JSON\\n"));';
  const died = await run(60, `${write}\n1;`, "Deno.exit(3);");
  assert.ok(died instanceof CellError, String(died));
  assert.match(died.message, /cell 2 \(cell-2: Deno\.exit\(3\);\) failed: dead kernel: the kernel died\.$/);
  const late = await run(2, "await new Promise((resolve) => setTimeout(resolve, 60_000));");
  assert.ok(late instanceof CellError, String(late));
  assert.match(late.message, /cell 1 .* failed: timeout: it took more than 2 s\.$/);
});

Deno.test("a notebook runs without results and notes what is missing", async () => {
  using folder = temporaryFolder();
  const [path] = listNotebooks(["03"]);
  const executed = await executeNotebook(path, {
    jupyter: await ensureJupyter(),
    env: { NOTEBOOK_QUICK: "1", NOTEBOOK_RESULTS: folder.path, CHECKPOINTS_DIR: folder.path },
  });
  const shown = JSON.stringify(executed.cells.map(({ outputs }) => outputs));
  assert.match(shown, /There are no results of dynamic, static-per-class, static-ten-way, static-shared yet/);
  assert.match(shown, /deno task compare --publish/);
});
