import { join } from "node:path";
import { packagePath } from "../runtime/installation.ts";
import type { SetupContext } from "./context.ts";
import { runProgram } from "./program.ts";
import { fetchFiles } from "./python.ts";

/** A C++ compiler. */
export interface Compiler {
  /** Name in messages. */
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  /** Makes the flag that compiles for an x86-64 processor, by GCC's name for it. */
  forProcessor(name: string): string;
}

/** Advice if no compiler succeeds. */
export const INSTALL_COMPILER = "install g++ (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++)";

/** Yields the compilers to try: `$CXX`, `g++`, `clang++`, and Zig's, fetched for this set-up only. */
export async function* findCompilers(context: SetupContext): AsyncGenerator<Compiler> {
  const [chosen, ...args] = (Deno.env.get("CXX") ?? "").split(" ").filter((word) => word !== "");
  const own = [{ command: chosen, args }, { command: "g++", args: [] }, { command: "clang++", args: [] }];
  for (const { command, args } of own) {
    if (command === undefined) continue;
    const { outcome } = await runProgram({ command, args: [...args, "--version"] }, context);
    if (outcome === "done") yield { name: command, command, args, forProcessor: (name) => `-march=${name}` };
  }
  yield await fetchZig(context);
}

async function fetchZig(context: SetupContext): Promise<Compiler> {
  const { reporter, staging } = context;
  reporter.line("No C++ compiler is here that can: fetching one for this once (0.1 GB; it takes a minute) …");
  const folder = join(staging, "zig");
  const requirements = packagePath("requirements/compiler.txt");
  const name = "a C++ compiler (none is here that can; Zig's was tried)";
  await fetchFiles({ requirements, folder, wanted: /^/, name, advice: INSTALL_COMPILER }, context);
  const cache = join(staging, "zig_cache");
  return {
    name: "zig c++",
    command: join(folder, "ziglang", "zig"),
    // for any processor and Linux, not just this machine's: the folder may be moved to another
    args: ["c++", "-target", `${Deno.build.arch}-linux-gnu.2.28`],
    forProcessor: (name) => `-march=${name.replaceAll("-", "_")}`,
    env: { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache },
  };
}
