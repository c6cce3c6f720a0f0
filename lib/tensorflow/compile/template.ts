/** Structures of nested arrays and records of tensors: read once, then compared and filled at every call. */
import * as tf from "../runtime/tf.ts";
import { CompileError } from "../errors.ts";

/** A structure. Tensors are numbered in the order they are first met; one met twice has one number. */
export type Template =
  | { kind: "tensor"; index: number; dtype: tf.DataType; shape: readonly number[] }
  | { kind: "constant"; value: unknown }
  | { kind: "list"; items: readonly Template[] }
  | { kind: "record"; names: readonly string[]; items: readonly Template[]; blank: Blank };

/** A record's names without their values, to copy and fill. */
type Blank = Record<string, undefined>;

/** Functions may be arguments, being constants; as results they would hold tensors of the recording. */
export type Role = "argument" | "result";

/** The tensors of a structure with their numbers, which count up from 0 in the map's own order. */
export type Numbering = Map<tf.Tensor, number>;

/** A structure, and the tensors in it by their numbers. */
export interface Structure {
  template: Template;
  tensors: tf.Tensor[];
}

/** Reads the structure of arguments or a state. See {@linkcode readTemplate}. */
export function readStructure(value: unknown, place: string): Structure {
  const numbering: Numbering = new Map();
  const template = readTemplate(value, place, numbering, "argument");
  return { template, tensors: [...numbering.keys()] };
}

/**
 * Reads the structure of `value`.
 *
 * @param place Names `value` in a message, as "argument 1".
 * @param numbering Receives the tensors found.
 * @param above The arrays and records that hold `value`.
 * @throws {CompileError} If a part is neither a tensor, nor an array or plain record, nor a constant.
 */
function readTemplate(
  value: unknown,
  place: string,
  numbering: Numbering,
  role: Role,
  above: readonly unknown[] = [],
): Template {
  if (above.includes(value)) throw new CompileError(`compile: ${place} holds itself. Break the circle.`);
  const readPart = (part: unknown, place: string) =>
    readTemplate(part, place, numbering, role, [...above, value]);
  if (value instanceof tf.Tensor) {
    if (value.isDisposed) {
      throw new CompileError(`compile: ${place} is a tensor that was disposed before the call.`);
    }
    if (value.dtype === "string") {
      throw new CompileError(`compile: ${place} is a tensor of strings; a graph has numbers and flags only.`);
    }
    return { kind: "tensor", index: numberOf(numbering, value), dtype: value.dtype, shape: value.shape };
  }
  if (Array.isArray(value)) {
    const hole = Array.from(value.keys()).findIndex((at) => !(at in value));
    if (hole >= 0) {
      throw new CompileError(
        `compile: ${place} has no item ${hole}. Fill the array, with null where need be.`,
      );
    }
    return { kind: "list", items: value.map((item, at) => readPart(item, `${place}[${at}]`)) };
  }
  if (isRecord(value)) {
    const names = Object.keys(value);
    const items = names.map((name) => readPart(value[name], `${place}.${name}`));
    return {
      kind: "record",
      names,
      items,
      blank: Object.fromEntries(names.map((name) => [name, undefined])),
    };
  }
  if ((typeof value === "object" && value !== null) || (role === "result" && typeof value === "function")) {
    const found = value.constructor?.name ?? "object";
    throw new CompileError(
      `compile: ${place} is a ${found}. Pass and return tensors, or arrays and plain records of them; make a tensor of data, and a record of a class's fields.`,
    );
  }
  return { kind: "constant", value };
}

/**
 * Reads the structure of a function's result.
 *
 * @param name Names the function in a message.
 * @param numbering Receives the tensors found.
 * @throws {CompileError} Where it is a promise, or holds values that a graph cannot return.
 */
export function readResult(result: unknown, name: string, numbering: Numbering): Template {
  if (typeof (result as PromiseLike<unknown> | null)?.then === "function") {
    (result as PromiseLike<unknown>).then(undefined, () => {}); // it will reject for the same reason
    throw new CompileError(
      `compile: ${name} returns a promise. Make it an ordinary function that returns tensors, and await their values after the call.`,
    );
  }
  return readTemplate(result, `the result of ${name}`, numbering, "result");
}

/** Tells whether `value` has this structure. Fills `numbering`, which must be empty, with its tensors. */
export function matches(template: Template, value: unknown, numbering: Numbering): boolean {
  switch (template.kind) {
    case "tensor":
      return value instanceof tf.Tensor && !value.isDisposed && value.dtype === template.dtype &&
        sameShape(value.shape, template.shape) && numberOf(numbering, value) === template.index;
    case "constant":
      return Object.is(value, template.value);
    case "list": {
      const { items } = template;
      if (!Array.isArray(value) || value.length !== items.length) return false;
      for (let at = 0; at < items.length; at++) if (!matches(items[at], value[at], numbering)) return false;
      return true;
    }
    case "record": {
      if (!isRecord(value) || Array.isArray(value) || value instanceof tf.Tensor) return false;
      const { names, items } = template;
      let at = 0;
      for (const name in value) { // order matters, since a function may iterate over it
        if (name !== names[at] || !matches(items[at], value[name], numbering)) return false;
        at++;
      }
      return at === names.length;
    }
  }
}

/** Fills a structure with `tensors`, by their numbers. */
export function fill(template: Template, tensors: readonly tf.Tensor[]): unknown {
  switch (template.kind) {
    case "tensor":
      return tensors[template.index];
    case "constant":
      return template.value;
    case "list":
      return template.items.map((item) => fill(item, tensors));
    case "record": {
      const { names, items } = template, record: Record<string, unknown> = { ...template.blank };
      for (let at = 0; at < names.length; at++) record[names[at]] = fill(items[at], tensors);
      return record;
    }
  }
}

/**
 * Creates the error for a function that needs too many graphs; it names the argument that keeps changing.
 *
 * @param name Names the function.
 * @param templates The structures of the arguments, the latest last.
 */
export function limitError(name: string, templates: readonly Template[]): CompileError {
  type Form = { part: Template; description: string };
  const forms = new Map<string, Map<unknown, Form>>(); // by place, and by what makes another graph
  for (const template of templates) {
    visitParts(template, "arguments", (place, part, description) => {
      const key = part.kind === "constant" ? part.value : description; // functions may have one name
      forms.set(place, (forms.get(place) ?? new Map()).set(key, { part, description }));
    });
  }
  const [place, seen] = [...forms].reduce((most, one) => one[1].size > most[1].size ? one : most);
  const { part } = [...seen.values()].at(-1)!;
  const cure = part.kind === "tensor"
    ? "Give it a few shapes only (the last batch filled up, or left out)"
    : part.kind === "constant" && typeof part.value === "function"
    ? "Make that function once, outside of the call"
    : "Pass what changes as a tensor (tf.scalar(value))";
  const latest = [...seen.values()].slice(-3).map(({ description }) => description).join(", ");
  return new CompileError(
    `compile: ${name} would need more than ${
      templates.length - 1
    } graphs, one for each of ${seen.size} forms ` +
      `of ${place}: … ${latest}. ${cure}, or raise the option graphs.`,
  );
}

type Visit = (place: string, part: Template, description: string) => void;

/** Calls `visit` with every part of a structure, its place, and a few characters that describe it. */
function visitParts(template: Template, place: string, visit: Visit): void {
  switch (template.kind) {
    case "tensor":
      return visit(place, template, `${template.dtype}[${template.shape}]`);
    case "constant":
      return visit(place, template, describeConstant(template.value));
    case "list":
      visit(place, template, `${template.items.length} items`);
      return template.items.forEach((item, at) => visitParts(item, `${place}[${at}]`, visit));
    case "record":
      visit(place, template, `{ ${template.names.join(", ")} }`);
      return template.items.forEach((item, at) => visitParts(item, `${place}.${template.names[at]}`, visit));
  }
}

function describeConstant(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "function" ? `function ${value.name}` : String(value);
}

function numberOf(numbering: Numbering, tensor: tf.Tensor): number {
  let index = numbering.get(tensor);
  if (index === undefined) numbering.set(tensor, index = numbering.size);
  return index;
}

function sameShape(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return false;
  for (let axis = 0; axis < one.length; axis++) if (one[axis] !== other[axis]) return false;
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
