import { join } from "@std/path";
import { ensureVenv, fetchFiles } from "./pip.ts";
import { runProgram } from "./program.ts";
import type { Workplace } from "./workplace.ts";

/** A C++ compiler: its name for messages, and how it is called. */
export interface Compiler {
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  /** Makes it compile for an x86-64 processor of GCC's name for it. @default `-march=` */
  forProcessor?(name: string): string;
}

/** What the user can do where no compiler can. */
export const INSTALL_COMPILER = "install g++ (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++)";

/**
 * The compilers to try, best first: `$CXX`, `g++`, `clang++`, and at last one fetched as a Python package (Zig's, with its own C++
 * library) for this set-up only.
 */
export async function* findCompilers(place: Workplace): AsyncGenerator<Compiler> {
  const [chosen, ...args] = (Deno.env.get("CXX") ?? "").split(" ").filter((word) => word !== "");
  const own = [{ command: chosen, args }, { command: "g++", args: [] }, { command: "clang++", args: [] }];
  for (const { command, args } of own) {
    if (command === undefined) continue;
    const { outcome } = await runProgram({ command, args: [...args, "--version"] }, place);
    if (outcome === "done") yield { name: command, command, args };
  }
  yield await fetchZig(place);
}

async function fetchZig(place: Workplace): Promise<Compiler> {
  const { project, reporter, staging } = place;
  reporter.line("No C++ compiler is here that can: fetching one for this once (0.1 GB; it takes a minute) …");
  const folder = join(staging, "zig");
  const python = await ensureVenv(place);
  const requirements = join(project, "lib", "tensorflow", "requirements", "compiler.txt");
  const what = "No C++ compiler is here that can, and Zig's";
  await fetchFiles({ python, requirements, folder, wanted: /^/, what, cure: INSTALL_COMPILER }, place);
  const cache = join(staging, "zig_cache");
  return {
    name: "zig c++",
    command: join(folder, "ziglang", "zig"),
    // for any processor and Linux, not just this machine's: the project may be moved to another
    args: ["c++", "-target", `${Deno.build.arch}-linux-gnu.2.28`],
    forProcessor: (name) => `-march=${name.replaceAll("-", "_")}`,
    env: { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache },
  };
}
