import { join } from "@std/path";
import { InputError } from "../support/errors.ts";
import { readFileBounded } from "../support/files.ts";
import { withSystemErrors } from "../support/system_errors.ts";
import { MAXIMUM_BYTES, tooManyBytes } from "./prepare_picture.ts";

/** Argument that stands for standard input. */
const STANDARD_INPUT = "-";

const PICTURE_NAME = /\.(png|jpe?g|webp)$/i;

/** A picture to read. */
export interface PictureSource {
  /** Path, or "standard input". */
  label: string;
  /** @throws {InputError} If it cannot be read. */
  read(): Promise<Uint8Array>;
}

/**
 * Lists the pictures that an argument names: a file, those in a folder (not in its folders), or `-` for
 * standard input.
 *
 * @throws {InputError} If the path does not exist, or the folder has no picture.
 */
export function findPictures(argument: string): PictureSource[] {
  if (argument === STANDARD_INPUT) {
    const label = "standard input";
    return [{ label, read: () => readAtMost(Deno.stdin.readable, label) }];
  }
  return withSystemErrors(`read ${argument}`, () => {
    if (!Deno.statSync(argument).isDirectory) return [fileSource(argument)];
    const names = [...Deno.readDirSync(argument)].filter(({ name, isDirectory }) =>
      !isDirectory && PICTURE_NAME.test(name)
    ).map(({ name }) => name);
    if (names.length === 0) {
      throw new InputError(`Cannot use the folder ${argument}: it has no PNG, JPEG or WebP picture in it.`);
    }
    const collator = new Intl.Collator("en", { numeric: true }); // 2.png before 10.png
    return names.sort(collator.compare).map((name) => fileSource(join(argument, name)));
  });
}

function fileSource(path: string): PictureSource {
  return { label: path, read: async () => await readFileBounded(path, MAXIMUM_BYTES) };
}

/** Reads a stream to its end, unless that is too far, as a device has none. */
async function readAtMost(stream: ReadableStream<Uint8Array>, label: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    pieces.push(piece);
    length += piece.length;
    if (length > MAXIMUM_BYTES) throw tooManyBytes(label);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
