/**
 * What a program did to the files of a folder, in order, from its system calls as strace prints them.
 *
 * @module
 */
import { dirname, join, relative } from "@std/path";

/** One change of a file, a folder, or a promise to the user. Paths are relative to the traced folder. */
export type Operation =
  | { kind: "link"; path: string; inode: number }
  | { kind: "mkdir"; path: string }
  | { kind: "unlink"; path: string }
  | { kind: "rename"; from: string; to: string }
  | { kind: "write"; inode: number; at: number; bytes: Uint8Array }
  | { kind: "resize"; inode: number; size: number }
  | { kind: "sync"; inode: number }
  | { kind: "syncFolder"; path: string }
  | { kind: "say"; text: string };

const CALLS =
  "open,openat,creat,close,lseek,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2," +
  "unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,writev,pwritev,copy_file_range,fallocate,symlink,symlinkat";

/** Words in front of a command that record its system calls, with all bytes, in files `<prefix>.<thread>`. */
export function straceArguments(prefix: string): string[] {
  return ["strace", "-ff", "-ttt", "--seccomp-bpf", "-y", "-xx", "-s", "16000000", "-e", CALLS, "-o", prefix];
}

/** Reads the system calls of all threads in the order of their times, as changes below `folder`. */
export function readTrace(
  prefix: string,
  folder: string,
  before: ReadonlyMap<string, Uint8Array>,
): Operation[] {
  const files = [...Deno.readDirSync(dirname(prefix))].map(({ name }) => join(dirname(prefix), name));
  const lines = files.filter((path) => path.startsWith(`${prefix}.`))
    .flatMap((path) => Deno.readTextFileSync(path).split("\n"))
    .map((line) => /^(\d+\.\d+) (\w+)\(([^]*)\) += (-?\d+)/.exec(line)).filter((match) => match !== null)
    .sort((one, other) => Number(one[1]) - Number(other[1]));
  const disk = new TracedFolder(folder, before);
  for (const [, , call, args, result] of lines) if (Number(result) >= 0) disk.add(call, args, Number(result));
  return disk.operations;
}

/** An open file: its inode, and where the next write goes. */
interface Handle {
  inode: number;
  at: number;
  appends: boolean;
}

class TracedFolder {
  readonly operations: Operation[] = [];
  readonly #inodes = new Map<string, number>();
  readonly #sizes = new Map<number, number>();
  readonly #handles = new Map<number, Handle>();
  readonly #folders = new Map<number, string>();

  /** @param before The files that are there at the beginning; their inodes are 0, 1, … */
  constructor(readonly folder: string, before: ReadonlyMap<string, Uint8Array>) {
    for (const [inode, [path, { length }]] of [...before].entries()) {
      this.#inodes.set(path, inode);
      this.#sizes.set(inode, length);
    }
  }

  add(call: string, args: string, result: number): void {
    const texts = [...args.matchAll(/"((?:\\x\w\w)*)"/g)].map(([, hex]) => hex);
    const number = Number(/^\d+/.exec(args)?.[0]);
    const numbers = args.split(", ").slice(1).map(Number);
    const [first, second] = texts.map((hex) => this.#place(decode(hex)));
    const handle = this.#handles.get(number);
    if (call === "open" || call === "openat" || call === "creat") return this.#open(first, args, result);
    if (call === "close") return void (this.#handles.delete(number), this.#folders.delete(number));
    if (call === "write" && number <= 2) {
      const text = new TextDecoder().decode(unhex(texts[0] ?? ""));
      return void this.operations.push({ kind: "say", text });
    }
    if (call === "fsync" || call === "fdatasync") {
      const path = this.#folders.get(number);
      if (path !== undefined) this.operations.push({ kind: "syncFolder", path });
      if (handle) this.operations.push({ kind: "sync", inode: handle.inode });
    } else if (handle && call === "lseek") {
      handle.at = result;
    } else if (handle && (call === "write" || call === "pwrite64")) {
      const size = this.#sizes.get(handle.inode)!;
      const at = call === "pwrite64" ? numbers.at(-1)! : handle.appends ? size : handle.at;
      if (call === "write") handle.at = at + result;
      const bytes = unhex(texts[0] ?? "").subarray(0, result);
      this.operations.push({ kind: "write", inode: handle.inode, at, bytes });
      this.#sizes.set(handle.inode, Math.max(size, at + result));
    } else if (handle && call === "ftruncate") {
      this.#resize(handle.inode, numbers[0]);
    } else if (call.startsWith("rename") && first !== null && second !== null) {
      this.operations.push({ kind: "rename", from: first, to: second });
      this.#inodes.set(second, this.#inodes.get(first)!);
      this.#inodes.delete(first);
    } else if (call.startsWith("unlink") && first !== null) {
      this.operations.push({ kind: "unlink", path: first });
      this.#inodes.delete(first);
    } else if (call.startsWith("mkdir") && first !== null) {
      this.operations.push({ kind: "mkdir", path: first });
    } else if (handle || ((first ?? second ?? null) !== null)) {
      throw new Error(`the model of crashes does not know ${call}(${args.slice(0, 200)})`);
    }
  }

  #open(path: string | null | undefined, args: string, fd: number): void {
    this.#handles.delete(fd); // a number that was closed elsewhere
    this.#folders.delete(fd);
    if (path === null || path === undefined) return;
    if (/O_DIRECTORY/.test(args) || isFolder(join(this.folder, path))) {
      return void this.#folders.set(fd, path);
    }
    if (!/O_WRONLY|O_RDWR/.test(args)) return;
    let inode = this.#inodes.get(path);
    if (inode === undefined) {
      inode = this.#sizes.size;
      this.#inodes.set(path, inode);
      this.#sizes.set(inode, 0);
      this.operations.push({ kind: "link", path, inode });
    } else if (/O_TRUNC/.test(args)) {
      this.#resize(inode, 0);
    }
    this.#handles.set(fd, { inode, at: 0, appends: /O_APPEND/.test(args) });
  }

  #resize(inode: number, size: number): void {
    this.operations.push({ kind: "resize", inode, size });
    this.#sizes.set(inode, size);
  }

  /** A path relative to the folder; null outside it. */
  #place(path: string): string | null {
    const inside = relative(this.folder, path);
    return path.startsWith("/") && !inside.startsWith("..") ? inside || "." : null;
  }
}

const unhex = (hex: string): Uint8Array => Uint8Array.fromHex(hex.replaceAll("\\x", ""));
const decode = (hex: string): string => hex.length > 40_000 ? "" : new TextDecoder().decode(unhex(hex)); // long ones are data and not paths

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
