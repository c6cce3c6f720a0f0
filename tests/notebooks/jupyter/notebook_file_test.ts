import assert from "node:assert/strict";
import { basename, join } from "@std/path";
import { InputError } from "../../../lib/support/errors.ts";
import {
  cleanOutputs,
  codeCells,
  formatNotebook,
  listNotebooks,
  type NotebookCell,
  type NotebookFile,
  parseNotebook,
  readNotebook,
  sourceOf,
} from "../../../notebooks/jupyter/notebook_file.ts";
import { temporaryFolder } from "../../testing/folder.ts";

/** A notebook of one code cell with these outputs. */
function notebookWith(outputs: NotebookCell["outputs"]): NotebookFile {
  const cell = { cell_type: "code" as const, id: "cell", metadata: {}, source: "1", outputs };
  return { cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 };
}

function outputsOf({ cells }: NotebookFile) {
  return cells[0].outputs!;
}

for (const path of listNotebooks()) {
  const name = basename(path);

  Deno.test(`${name} has the project's format and no local path in its outputs`, async () => {
    const notebook = readNotebook(path);
    assert.equal(formatNotebook(notebook), await Deno.readTextFile(path));
    assert.equal(formatNotebook(cleanOutputs(notebook, path, [])), formatNotebook(notebook));
  });

  Deno.test(`${name} begins with a question, has 5 to 16 explained code cells, and ends with findings`, () => {
    const notebook = readNotebook(path);
    const [first, last] = [notebook.cells[0], notebook.cells.at(-1)!];
    assert.equal(first.cell_type, "markdown");
    assert.match(sourceOf(first), /^# \d · /);
    assert.match(sourceOf(first), /\*\*The question\.\*\*/);
    assert.equal(last.cell_type, "markdown");
    assert.match(
      notebook.cells.filter(({ cell_type }) => cell_type === "markdown").map(sourceOf).join("\n"),
      /^## What was found/m,
    );
    const code = codeCells(notebook).length;
    assert.ok(code >= 5 && code <= 16, `${code} code cells`);
    assert.ok(notebook.cells.length - code >= code / 2, "too little prose");
  });

  Deno.test(`${name} has unique cell ids`, () => {
    const { cells } = readNotebook(path);
    assert.equal(new Set(cells.map(({ id }) => id)).size, cells.length);
    for (const { id } of cells) assert.match(id, /^[\w-]{1,64}$/);
  });
}

Deno.test("local paths in outputs are replaced, the longest first", () => {
  const notebook = notebookWith([
    { output_type: "stream", name: "stdout", text: ["in /home/me/project/runs\n", "and /home/me\n"] },
    {
      output_type: "display_data",
      data: { "text/markdown": "`/home/me/project`", "image/png": "/home/me" },
      metadata: {},
    },
    {
      output_type: "error",
      ename: "Error",
      evalue: "no /home/me/x",
      traceback: ["at \u001b[31mfile:///home/me/project/a.ts\u001b[0m"],
    },
  ]);
  const [stream, shown, error] = outputsOf(
    cleanOutputs(notebook, "a.ipynb", [["/home/me", "~"], ["/home/me/project", "."]]),
  );
  assert.equal(stream.text, "in ./runs\nand ~\n");
  assert.deepEqual(shown.data, { "text/markdown": "`.`", "image/png": "/home/me" });
  assert.deepEqual([error.evalue, error.traceback], ["no ~/x", ["at file://./a.ts"]]);
});

Deno.test("an output with a local path is refused, with notebook and cell", () => {
  for (const text of ["see /home/somebody/x", "file:///tmp/a.ts", "C:\\Users\\me"]) {
    const notebook = notebookWith([{ output_type: "stream", name: "stdout", text }]);
    assert.throws(() => cleanOutputs(notebook, "notebooks/07_x.ipynb", []), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /07_x\.ipynb: cell 1 \(cell\)/);
      return true;
    });
  }
});

Deno.test("fractions and addresses are not taken for paths", () => {
  const text = "w / ‖w‖, 1/√64, 60 img/s, https://example.org/tmp/x, notebooks/results";
  const [output] = outputsOf(
    cleanOutputs(notebookWith([{ output_type: "stream", name: "stdout", text }]), "a.ipynb", []),
  );
  assert.equal(output.text, text);
});

Deno.test("adjacent pieces of a stream are joined", () => {
  const piece = (name: string, text: string) => ({ output_type: "stream" as const, name, text });
  const shown = { output_type: "display_data" as const, data: { "text/plain": "x" }, metadata: {} };
  const outputs = outputsOf(cleanOutputs(
    notebookWith([
      piece("stdout", "a"),
      piece("stdout", "b"),
      piece("stderr", "c"),
      shown,
      piece("stdout", "d"),
    ]),
    "a.ipynb",
    [],
  ));
  assert.deepEqual(outputs.map(({ text }) => text), ["ab", "c", undefined, "d"]);
});

Deno.test("a notebook's bytes do not depend on who executed it and when", () => {
  const notebook = notebookWith([{ output_type: "stream", text: "a\nb", name: "stdout" }]);
  const other: NotebookFile = {
    ...notebook,
    metadata: { language_info: { name: "other" }, kernelspec: { name: "other" } },
    cells: [{ ...notebook.cells[0], metadata: { execution: { "iopub.execute_input": "2026-01-01" } } }],
  };
  assert.equal(formatNotebook(other), formatNotebook(notebook));
  assert.match(formatNotebook(notebook), /"a\\n",\n\s+"b"/);
  const kernels = { ...notebook, metadata: { language_info: { version: "9.9" } } };
  assert.match(formatNotebook(kernels), /"version": "9\.9"/);
});

Deno.test("a missing or invalid notebook is an input error", () => {
  using folder = temporaryFolder();
  const missing = join(folder.path, "01_x.ipynb");
  assert.throws(() => readNotebook(missing), { name: "InputError", message: /there is no such file/ });
  const cell = '{"cell_type":"code","id":"a","metadata":{},"source":"1","outputs":[]}';
  const start = '{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[';
  const refused: [text: string, why: RegExp][] = [
    ["", /it is not JSON/],
    ["{}", /nbformat must be 4/],
    [
      '{"nbformat":3,"nbformat_minor":0,"metadata":{},"worksheets":[]}',
      /nbformat must be 4: JupyterLab converts/,
    ],
    [`${start}{}]}`, /cells\[0\]\.cell_type must be/],
    [`${start}${cell.replace('"1"', "1")}]}`, /cells\[0\]\.source must be text or a list of lines/],
    [`${start}${cell.replace('"a"', '"a b"')}]}`, /cells\[0\]\.id must be letters, digits/],
    [
      `${start}${cell.replace("[]", '[{"output_type":"stream","text":[1]}]')}]}`,
      /outputs\[0\]\.text must be text/,
    ],
    [
      `${start}${cell.replace("{}", '{"report":{"width":1}}')}]}`,
      /cells\[0\]\.metadata\.report\.width is not known/,
    ],
    [`<<<<<<< HEAD\n${start}]}`, /it holds an unresolved merge conflict/],
  ];
  for (const [text, why] of refused) {
    assert.throws(() => parseNotebook(text, "a.ipynb"), { name: "InputError", message: why });
  }
});

Deno.test("a byte order mark, missing ids and attachments are kept or mended", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "01_x.ipynb");
  const attachments = { "a.png": { "image/png": "AQI=" } };
  const cells = [{ cell_type: "markdown", metadata: {}, source: "a", attachments }];
  const old = { cells, metadata: {}, nbformat: 4, nbformat_minor: 2 };
  Deno.writeTextFileSync(path, `\ufeff${JSON.stringify(old)}`);
  const notebook = readNotebook(path);
  assert.equal(notebook.cells[0].id, "cell-1");
  assert.deepEqual(JSON.parse(formatNotebook(notebook)).cells[0].attachments, attachments);
});

Deno.test("notebooks are found by number or name, in order", async () => {
  using folder = temporaryFolder();
  for (const name of ["02_train.ipynb", "01_build.ipynb", "notes.ipynb", "03_x.txt"]) {
    await Deno.writeTextFile(join(folder.path, name), "");
  }
  const list = (...wanted: string[]) => listNotebooks(wanted, folder.path).map((path) => basename(path));
  assert.deepEqual(list(), ["01_build.ipynb", "02_train.ipynb"]);
  assert.deepEqual(list("2", "01"), ["01_build.ipynb", "02_train.ipynb"]);
  assert.deepEqual(list("notebooks/02_train.ipynb"), ["02_train.ipynb"]);
  assert.throws(() => list("07"), /Cannot find a notebook 07: there are 01_build\.ipynb, 02_train\.ipynb/);
});
