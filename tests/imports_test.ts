// DESIGN: imports point down only, and nothing works at import time
import assert from "node:assert/strict";
import { join } from "@std/path";
import { listFiles, parseSource, PROJECT, readSource, type Source } from "./testing/sources.ts";
import { COMPARE_COMMAND } from "../cli/compare/options.ts";
import { COMMAND as PREDICT } from "../cli/predict.ts";
import { COMMAND as REPORT } from "../cli/report.ts";
import { flagOf } from "../cli/shared/options.ts";
import { COMMAND as TRAIN } from "../cli/train.ts";
import { temporaryFolder } from "./testing/folder.ts";

/** The parts of the project, and which other parts each may import. */
const MAY_IMPORT: Record<string, string[]> = {
  support: [],
  tensorflow: [],
  "setup.ts": ["support", "tensorflow"],
  data: ["support", "tensorflow"],
  model: ["support", "tensorflow"],
  training: ["support", "tensorflow", "data", "model"],
  figures: ["support"],
  experiments: ["support", "tensorflow", "data", "model", "training", "analysis", "prediction"],
  analysis: ["support", "tensorflow", "data", "model", "training"],
  prediction: ["support", "tensorflow", "data", "model", "training", "figures"],
  export: ["support", "tensorflow", "data", "model", "training"],
};

/** The part of the project that a path belongs to; null for what may import all others. */
function partOf(path: string): string | null {
  const [top, folder] = path.split("/");
  return top !== "lib" || folder === "mod.ts" ? null : folder;
}

const SOURCES: Source[] = [
  ...["lib", "cli", "notebooks", "explore"].flatMap((folder) => listFiles(folder, ".ts")),
  ...listFiles("notebooks", ".ipynb").filter((path) => !path.includes(".ipynb_checkpoints")),
].map(readSource);
const LIBRARY = SOURCES.filter(({ path }) => path.startsWith("lib/"));

/** All imports that break a rule, as `from → to`. */
const breaches = (sources: Source[], isBreach: (from: string, to: string) => boolean): string[] =>
  sources.flatMap(({ path, imports }) =>
    [...imports].filter((to) => isBreach(path, to)).map((to) => `${path} → ${to}`)
  );

Deno.test("imports and effects are read from a module's syntax", () => {
  const { imports, effects } = parseSource(
    "lib/model/a.ts",
    `
    // import "../comment.ts";
    import type { A } from "../data/a.ts";
    import { b } from "./b.ts";
    export * from "c";
    export { d } from "./d.ts";
    const later = async () => { await import("../e.ts"); Deno.exit(); };
    export const text = \`import "f"\`, pure = Math.max(1, 2), system = Deno.build.os;
    export default class { m() { console.log(); } }
  `,
  );
  assert.deepEqual([...imports].sort(), [
    "c",
    "lib/data/a.ts",
    "lib/e.ts",
    "lib/model/b.ts",
    "lib/model/d.ts",
  ]);
  assert.deepEqual(effects, []);
  const working = [
    "await f();",
    "f();",
    "if (x) f();",
    "const a = Deno.readTextFileSync('a');",
    "let a = 1;",
    "const a = await f();",
    "for (;;) f();",
    "export const a = console.log(1);",
    "const a = { b: Deno.env.get('C') };",
  ];
  for (const text of working) assert.notDeepEqual(parseSource("a.ts", text).effects, [], text);
});

Deno.test("sources are found", () => {
  assert.ok(LIBRARY.length > 60);
  assert.ok(
    SOURCES.find(({ path }) => path === "lib/training/train.ts")!.imports.has("lib/data/load_datasets.ts"),
  );
  for (const part of Object.keys(MAY_IMPORT)) {
    assert.ok(LIBRARY.some(({ path }) => partOf(path) === part), `nothing is in ${part}`);
  }
});

Deno.test("imports point down only", () => {
  const isBreach = (from: string, to: string) => {
    const [importer, imported] = [partOf(from), partOf(to)];
    if (importer === null || imported === importer || !to.includes("/") || to.startsWith("@")) return false;
    return imported === null || !(MAY_IMPORT[importer]?.includes(imported) ?? true);
  };
  assert.deepEqual(breaches(LIBRARY.filter(({ path }) => path !== "lib/mod.ts"), isBreach), []);
});

Deno.test("the TensorFlow package names nothing of this project", () => {
  const files = [".ts", ".sh", ".py", ".cc", ".h", ".md", ".txt"].flatMap((ending) =>
    listFiles("lib/tensorflow", ending)
  );
  assert.ok(files.length > 40);
  const named = files.filter((path) =>
    /deno task|projectFolder|this project|CIFAR|\.\.\/(training|model|support|analysis|data)\//.test(
      Deno.readTextFileSync(join(PROJECT, path)),
    )
  );
  assert.deepEqual(named, []);
});

Deno.test("there are no import cycles, types included", () => {
  const imports = new Map(SOURCES.map((source) => [source.path, source.imports]));
  const reaches = (from: string, goal: string, seen = new Set<string>()): boolean =>
    [...imports.get(from) ?? []].some((to) =>
      to === goal || (!seen.has(to) && (seen.add(to), reaches(to, goal, seen)))
    );
  const circles = [...imports.keys()].filter((path) => reaches(path, path));
  assert.deepEqual(circles, []);
});

Deno.test("only commands import commands and notebook code", () => {
  const isBreach = (from: string, to: string) =>
    (to.startsWith("notebooks/") && !/^(notebooks|cli)\//.test(from)) ||
    (to.startsWith("cli/") && !from.startsWith("cli/"));
  assert.deepEqual(breaches(SOURCES, isBreach), []);
});

Deno.test("only lib/tensorflow knows TensorFlow.js", () => {
  const isBreach = (from: string, to: string) =>
    /^@tensorflow\/|tfjs/.test(to) && !/^(lib|cli)\//.test(to) && !from.startsWith("lib/tensorflow/");
  assert.deepEqual(breaches(SOURCES, isBreach), []);
  assert.ok(breaches(LIBRARY, (_, to) => to.startsWith("@tensorflow/")).length > 0);
});

Deno.test("figures import no tensors, models or files", () => {
  const figures = SOURCES.filter(({ path }) => path.startsWith("lib/figures/"));
  assert.deepEqual(
    breaches(
      figures,
      (_, to) => to.startsWith("lib/") && partOf(to) !== "figures" && partOf(to) !== "support",
    ),
    [],
  );
});

/** Writes a Markdown page that shows readers what to type. */
const MODEL_CARD = "lib/experiments/publish.ts";

Deno.test("the library names no command and no command-line option", () => {
  const options = [TRAIN, COMPARE_COMMAND, PREDICT, REPORT].flatMap(({ options }) => Object.keys(options));
  const flags = options.map((name) => flagOf(name).slice(2)).join("|");
  const named = new RegExp(`deno task|--(no-)?(${flags})\\b(?![-=])`);
  const rest = LIBRARY.filter(({ path }) => path !== MODEL_CARD);
  const breaches = rest.flatMap(({ path, literals }) =>
    literals.filter((text) => named.test(text)).map((text) => `${path}: ${text}`)
  );
  assert.deepEqual(breaches, []);
});

Deno.test("modules of the library and the notebooks have no side effects at import time", () => {
  const modules = SOURCES.filter(({ path }) => /^(lib|notebooks)\/.*\.ts$/.test(path));
  const working = modules.flatMap(({ path, effects }) => effects.map((effect) => `${path} ${effect}`));
  assert.deepEqual(working.filter((text) => !ALLOWED_STATE.includes(text)), []);
});

/** State that a process has once: the runtime, the graph being recorded, the number of graphs, a document. */
const ALLOWED_STATE = [
  "lib/tensorflow/runtime/native.ts",
  "lib/tensorflow/runtime/library.ts",
  "lib/tensorflow/compile/record.ts",
  "lib/tensorflow/compile/loaded_graph.ts",
  "lib/figures/line_panel.ts",
]
  .map((path) => `${path} keeps a variable (let)`);

Deno.test("importing the whole library and every command touches no file, network or process", async () => {
  using folder = temporaryFolder();
  const probe = join(folder.path, "probe.ts");
  const isModule = ({ path }: Source) => path.endsWith(".ts") && path !== "explore/main.ts"; // a page's program
  const modules = SOURCES.filter(isModule).map(({ path }) =>
    `import ${JSON.stringify(join(PROJECT, path))};\n`
  );
  Deno.writeTextFileSync(probe, modules.join("") + 'console.log("imported");');
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // packages look at the environment and load their own libraries; ours may read nothing but packages
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--cached-only",
      "--allow-env",
      "--allow-ffi",
      "--allow-sys",
      "--allow-read=node_modules",
      "--config",
      "deno.json",
      probe,
    ],
    cwd: PROJECT,
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.equal(new TextDecoder().decode(stdout), "imported\n");
});
