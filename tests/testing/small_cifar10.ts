/**
 * CIFAR-10 in miniature: files and archives of its format, made in the test.
 *
 * @module
 */
import { join } from "@std/path";
import { makeFolder } from "./folder.ts";

/** Bytes of one record. */
export const RECORD_BYTES = 3073;

/**
 * The six files of the binary version with few records: labels 0, 1, 2 …, and pixels that differ by file,
 * record and place.
 */
export function makeCifar10Files(recordsPerFile: number): Map<string, Uint8Array<ArrayBuffer>> {
  const names = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`).concat("test_batch.bin");
  return new Map(names.map((name, file) => {
    const bytes = new Uint8Array(recordsPerFile * RECORD_BYTES);
    for (let at = 0; at < bytes.length; at++) bytes[at] = at * 7 + (at >> 10) + file * 31;
    for (let record = 0; record < recordsPerFile; record++) bytes[record * RECORD_BYTES] = record % 10;
    return [name, bytes];
  }));
}

/** Writes files into a new folder. */
export async function writeFolder(files: Map<string, Uint8Array>): Promise<string> {
  const folder = makeFolder();
  for (const [name, bytes] of files) await Deno.writeFile(join(folder, name), bytes);
  return folder;
}

/** An entry of a tar archive. */
export interface TarEntry {
  path: string;
  bytes?: Uint8Array;
  /** 0 file, 1 hard link, 2 symbolic link, 3 device, 5 folder, 6 pipe. */
  type?: "0" | "1" | "2" | "3" | "5" | "6";
  linkTo?: string;
}

/** A `tar.gz` of just these entries, sound or not. */
export async function makeTarGz(entries: TarEntry[]): Promise<Uint8Array<ArrayBuffer>> {
  const blocks = entries.flatMap(({ path, bytes = new Uint8Array(), type = "0", linkTo = "" }) => {
    const header = new Uint8Array(512);
    const put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at);
    const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
    put(path, 0);
    put(
      `0000644\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(bytes.length, 11)}\0${
        octal(0, 11)
      }\0        ${type}${linkTo}`,
      100,
    );
    put("ustar\x0000", 257);
    put(`${octal(header.reduce((sum, byte) => sum + byte, 0), 6)}\0 `, 148);
    return [header, bytes, new Uint8Array((512 - bytes.length % 512) % 512)];
  });
  const tar = new Blob([...blocks, new Uint8Array(1024)] as BlobPart[]).stream().pipeThrough(
    new CompressionStream("gzip"),
  );
  return new Uint8Array(await new Response(tar).arrayBuffer());
}

/** The contents of the published archive: the folder, the six files, the class names, a page. */
export function listArchive(files: Map<string, Uint8Array>): TarEntry[] {
  const text = (content: string) => new TextEncoder().encode(content);
  const names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
  return [
    { path: "cifar-10-batches-bin/", type: "5" },
    ...[...files].map(([name, bytes]) => ({ path: `cifar-10-batches-bin/${name}`, bytes })),
    { path: "cifar-10-batches-bin/batches.meta.txt", bytes: text(names) },
    { path: "cifar-10-batches-bin/readme.html", bytes: text("<html></html>") },
  ];
}
