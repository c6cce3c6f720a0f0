/**
 * What a source file imports and what it does when it is imported, read from its syntax.
 *
 * @module
 */
import { fromFileUrl, join, relative } from "@std/path";

/** The project's folder. */
export const PROJECT = fromFileUrl(new URL("../../", import.meta.url));

/** A module as its syntax shows it. */
export interface Source {
  /** Relative to the project. */
  path: string;
  /**
   * What it imports, at once or later: other modules of the project by their paths, packages by their names.
   */
  imports: Set<string>;
  /** What it does when it is imported, beyond saying what things are. */
  effects: string[];
  /** Its string literals and the texts of its templates. */
  literals: string[];
}

/**
 * Paths of all files with this ending below a folder of the project, sorted; none where there is no such
 * folder.
 */
export function listFiles(folder: string, ending: string): string[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(join(PROJECT, folder))];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return entries.flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return listFiles(path, ending);
    return name.endsWith(ending) ? [path] : [];
  }).sort();
}

/** Reads a TypeScript file, or all cells of a notebook together. */
export function readSource(path: string): Source {
  const text = Deno.readTextFileSync(join(PROJECT, path));
  return parseSource(path, path.endsWith(".ipynb") ? joinCells(text) : text);
}

function joinCells(notebook: string): string {
  const { cells } = JSON.parse(notebook) as { cells: { cell_type: string; source: string | string[] }[] };
  return cells.filter(({ cell_type }) => cell_type === "code").map(({ source }) => [source].flat().join(""))
    .join("\n");
}

type Node = Deno.lint.Node;

/** Reads a module's text. */
export function parseSource(path: string, text: string): Source {
  const imports = new Set<string>();
  const effects: string[] = [];
  const literals: string[] = [];
  const add = (source: unknown) => void (typeof source === "string" && imports.add(resolve(path, source)));
  const visitor: Deno.lint.LintVisitor = {
    ImportDeclaration: ({ source }) => add(source.value),
    ExportAllDeclaration: ({ source }) => add(source.value),
    ExportNamedDeclaration: ({ source }) => add(source?.value),
    ImportExpression: ({ source }) =>
      source.type === "Literal" ? add(source.value) : void effects.push("imports a computed name"),
    Program: ({ body }) => {
      for (const { type } of body) if (!isDeclaration(type)) effects.push(`has a statement (${type})`);
    },
    Literal: ({ value }) => void (typeof value === "string" && literals.push(value)),
    TemplateElement: ({ cooked }) => void literals.push(cooked),
    AwaitExpression: (node) => void (isAtTop(node) && effects.push("waits (await)")),
    VariableDeclaration: (node) =>
      void (node.kind !== "const" && node.parent.type === "Program" &&
        effects.push(`keeps a variable (${node.kind})`)),
    MemberExpression: (node) => {
      const name = node.object.type === "Identifier" && node.property.type === "Identifier"
        ? `${node.object.name}.${node.property.name}`
        : "";
      if (isAtTop(node) && /^(Deno|console|process|globalThis)\.(?!build)/.test(name)) {
        effects.push(`uses ${name}`);
      }
    },
  };
  const name = path.endsWith(".ts") ? path : `${path}.ts`; // the cells of a notebook are TypeScript as well
  Deno.lint.runPlugin({ name: "sources", rules: { read: { create: () => visitor } } }, name, text);
  return { path, imports, effects, literals };
}

function isDeclaration(type: string): boolean {
  return /^(Import|Export\w*|Variable|Function|Class|TS\w+)Declaration$|^TS/.test(type);
}

function isAtTop(node: Node): boolean {
  for (let at: Node | undefined = node; at; at = (at as { parent?: Node }).parent) {
    if (/Function|Method/.test(at.type)) return false;
  }
  return true;
}

/** A relative import as a path of the project; a package by its name. */
function resolve(from: string, specifier: string): string {
  return specifier.startsWith(".") ? relative(PROJECT, join(PROJECT, from, "..", specifier)) : specifier;
}
