/** Creates a folder that is removed at the end of the block. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = Deno.makeTempDirSync({ prefix: "dynamic_filters_" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** Creates a folder that is removed when the tests of this file have run. */
export function makeFolder(): string {
  const { path, [Symbol.dispose]: remove } = temporaryFolder();
  addEventListener("unload", remove);
  return path;
}

/** Sets an environment variable, or with null deletes it, until the end of the block. */
export function temporaryVariable(name: string, value: string | null): Disposable {
  const before = Deno.env.get(name) ?? null;
  const set = (value: string | null) => value === null ? Deno.env.delete(name) : Deno.env.set(name, value);
  set(value);
  return { [Symbol.dispose]: () => set(before) };
}
