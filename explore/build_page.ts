/**
 * Builds the page: one HTML file with everything in it, which makes no request.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { join } from "@std/path";
import { InputError } from "../lib/support/errors.ts";
import { readFileBounded, readText } from "../lib/support/files.ts";
import { projectFolder } from "../lib/support/project.ts";
import { type Checkpoint, formatCheckpoint, type StoredTensors } from "../lib/training/checkpoint_format.ts";
import type { Part } from "./embedded.ts";
import { roundWeights, shuffleBytes } from "./packing.ts";

/** A page, and what takes how much of it. */
export interface BuiltPage {
  html: Uint8Array<ArrayBuffer>;
  /** Bytes in the page by part. */
  sizes: Record<string, number>;
}

const WASM = "node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm";

/**
 * Builds the page around a network. The same inputs give the same bytes.
 *
 * @param known Feature maps by which it teaches, a file of explore/known_features.ts.
 * @param main The page's program.
 * @throws {InputError} If the bundler does not run.
 */
export async function buildPage(
  checkpoint: Checkpoint,
  known: Uint8Array | null = null,
  main = "explore/main.ts",
): Promise<BuiltPage> {
  const program = await bundle(main);
  const { network } = checkpoint.readTensors();
  const rounded: StoredTensors = new Map(
    [...network].map((
      [name, { shape, data }],
    ) => [name, { shape, data: roundWeights(data as Float32Array) }]),
  );
  const parts: Partial<Record<Part, Uint8Array>> = {
    wasm: readFileBounded(join(projectFolder(), WASM), 10e6),
    network: shuffleBytes(formatCheckpoint({ ...checkpoint, network: rounded, slots: null })),
    ...known && { known },
  };
  const loader = LOADER.trim();
  const elements = Object.entries({ ...parts, program }).map(([id, bytes]) => embed(id, bytes));
  const replacements: Record<string, string> = {
    "<!-- policy -->": formatPolicy([loader, new TextDecoder().decode(program)]),
    "/* style */": readText(join(projectFolder(), "explore/style.css")),
    "<!-- network -->": elements.join("\n"),
    "<!-- script -->": `<script>${loader}</script>`,
  };
  let html = readText(join(projectFolder(), "explore/page.html"));
  for (const [placeholder, text] of Object.entries(replacements)) {
    html = html.replace(placeholder, () => text);
  }
  const bytes = new TextEncoder().encode(html);
  const sizes = Object.fromEntries(
    elements.map((element, at) => [[...Object.keys(parts), "program"][at], element.length]),
  );
  const rest = bytes.length - elements.reduce((sum, { length }) => sum + length, 0);
  return { html: bytes, sizes: { ...sizes, rest } };
}

/** Unpacks the program and runs it as an inline script, whose hash the policy knows. */
const LOADER = `
if (!Uint8Array.fromBase64) document.body.prepend("This page needs a newer browser: Chrome 140, Firefox 133 or Safari 18.2.");
else (async () => {
  const packed = Uint8Array.fromBase64(document.getElementById("program").textContent);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.type = "module";
  script.textContent = await new Response(stream).text();
  document.body.append(script);
})();
`;

/** Forbids all requests, and all scripts but these. Compiling WebAssembly and reading it from memory is allowed. */
function formatPolicy(scripts: string[]): string {
  const hashes = scripts.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  const policy = {
    "default-src": "'none'",
    "script-src": [...hashes, "'wasm-unsafe-eval'"].join(" "),
    "style-src": "'unsafe-inline'",
    "img-src": "data: blob:",
    "media-src": "blob: mediastream:",
    "connect-src": "blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
  };
  const text = Object.entries(policy).map(([directive, sources]) => `${directive} ${sources}`).join("; ");
  return `<meta http-equiv="Content-Security-Policy" content="${text}">`;
}

/** Base64 of gzip holds no "<". */
function embed(id: string, bytes: Uint8Array): string {
  const packed = gzipSync(bytes, { level: 9 });
  packed[9] = 255; // the system that packed it: not the same everywhere
  return `<script type="application/gzip;base64" id="${id}">${packed.toString("base64")}</script>`;
}

/** Bundles a program and all that it imports. */
async function bundle(main: string): Promise<Uint8Array> {
  const esbuild = await import("esbuild"); // lazily: it reads the environment
  try {
    const { outputFiles: [program] } = await esbuild.build({
      absWorkingDir: projectFolder(),
      entryPoints: [main],
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2024",
      write: false,
      logLevel: "silent",
    });
    return program.contents;
  } catch (cause) {
    if (Object.hasOwn(cause as Error, "errors")) throw cause; // in the program
    const why = `the bundler, esbuild, does not run here (${(cause as Error).message.split("\n")[0]})`;
    const next = [{ advice: "run `./deno install` again where there is a network" }];
    throw new InputError({ what: "build the page", why, next }, { cause });
  } finally {
    await esbuild.stop();
  }
}
