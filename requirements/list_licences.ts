/**
 * Writes docs/licences.md: the licence of every npm and Python package that is installed here. `./deno run
 * -P=files requirements/list_licences.ts`, after `deno task lab` and `deno task report` have installed
 * theirs.
 */
import { join } from "@std/path";
import { projectFolder } from "../lib/support/project.ts";
import { readJsonOrNull, readTextOrNull } from "../lib/support/files.ts";

const project = projectFolder();

/** Python packages that are fetched as files, or only by the bench, and leave no metadata here. */
const FETCHED: Record<string, string> = {
  "cmeel-mimalloc": "MIT",
  deno: "MIT",
  "nvidia-*": "NVIDIA's own (CUDA and cuDNN)",
  "pandoc (in pypandoc_binary)": "GPL-2.0-or-later",
  numpy: "BSD-3-Clause",
  safetensors: "Apache-2.0",
  tensorflow: "Apache-2.0",
  "tensorflow-cpu": "Apache-2.0",
  torch: "BSD-3-Clause",
  ziglang: "MIT",
};

function npmLicences(): [name: string, licence: string][] {
  const { npm } = readJsonOrNull(join(project, "deno.lock")) as { npm: Record<string, unknown> };
  return Object.keys(npm).flatMap((id) => {
    const [, name, version] = /^(.+?)@([^_]+)/.exec(id)!;
    const folder = `${name.replace("/", "+")}@${version}`;
    const path = join(project, "node_modules/.deno", folder, "node_modules", name, "package.json");
    const found = readJsonOrNull(path)?.license as string | { type: string } | undefined;
    if (found === undefined) return []; // for another system
    return [[name, typeof found === "string" ? found : found.type]];
  });
}

function pythonLicences(): [name: string, licence: string][] {
  const lib = join(project, ".venv/lib");
  const folders = [...Deno.readDirSync(lib)].map(({ name }) => join(lib, name, "site-packages"));
  const found = folders.flatMap((folder) =>
    [...Deno.readDirSync(folder)].flatMap(({ name }): [string, string][] => {
      const text = readTextOrNull(join(folder, name, "METADATA"))?.split("\n\n")[0] ?? "";
      const field = (key: RegExp) => key.exec(text)?.[1];
      const short = field(/^License: (?!UNKNOWN)(.{1,40})$/m);
      const classifier = field(/^Classifier: License :: (?:OSI Approved :: )?(.+)$/m);
      const licence = field(/^License-Expression: (.+)$/m) ?? short ?? classifier;
      return text === "" ? [] : [[field(/^Name: (.+)$/m)!, licence ?? "unknown"]];
    })
  );
  return [...found, ...Object.entries(FETCHED)];
}

/** Groups packages by licence. */
function formatList(packages: [name: string, licence: string][]): string {
  const byLicence = Map.groupBy(
    packages,
    ([, licence]) =>
      licence.replace(/^\((.*)\)$/, "$1").replace(/ license$/i, "").replace(/^BSD 2/, "BSD-2")
        .replace(/^3-Clause BSD$|^BSD 3-Clause$/, "BSD-3-Clause").replace(/^Apache\b.*2\.0$/, "Apache-2.0"),
  );
  return [...byLicence].sort(([a], [b]) => a < b ? -1 : 1).map(([licence, list]) =>
    `- **${licence}**: ${[...new Set(list.map(([name]) => name))].sort().join(", ")}`
  ).join("\n");
}

const text = `# Licences

The project's own licence is in [LICENSE](../LICENSE). It fetches these packages;
\`requirements/list_licences.ts\` writes this list from their metadata. Of others' code it brings only what
\`docs/explore.html\` is bundled from, with the licences at the end of its program. The vectors of names in
\`lib/model/name_vectors.json\` are outputs of all-MiniLM-L6-v2 (Apache-2.0).

## npm

${formatList(npmLicences())}

## Python

${formatList(pythonLicences())}
`;
Deno.writeTextFileSync(join(project, "docs/licences.md"), text);
