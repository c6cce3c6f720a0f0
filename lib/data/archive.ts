import { basename, dirname, join } from "@std/path";
import { explainWriteError } from "../support/download/request.ts";
import { InputError } from "../support/errors.ts";
import { readCifar10, type ReadCifar10Options, TEST_FILE, TRAIN_FILES } from "./cifar10.ts";
import { writeProvenance } from "./cifar10_copies.ts";

/** The folder inside the archive, and its name on disk. */
export const ARCHIVE_FOLDER = "cifar-10-batches-bin";

const WANTED = [...TRAIN_FILES, TEST_FILE, "batches.meta.txt"];
const LARGEST_FILE = 30_730_000;

export interface UnpackArchiveOptions extends ReadCifar10Options {
  /** Written to `provenance.json` beside the files. */
  provenance: { url: string; md5: string };
}

/**
 * Unpacks CIFAR-10's `tar.gz` into `<folder>/cifar-10-batches-bin`, which must not exist.
 *
 * The files go to a temporary folder beside it, are checked as {@linkcode readCifar10} does, and only then
 * get their name. Nothing but the expected plain files is taken out of the archive.
 *
 * @throws {InputError} If the archive is damaged, lacks a file, or has links or paths that lead out of its
 *   folder.
 */
export async function unpackArchive(
  archive: string,
  folder: string,
  { provenance, ...check }: UnpackArchiveOptions,
): Promise<void> {
  const { extract } = await import("tar"); // imported lazily to keep start-up short
  const temporary = await Deno.makeTempDir({ dir: folder, prefix: `.${ARCHIVE_FOLDER}.` });
  const refused: string[] = [];
  try {
    await extract({
      file: archive,
      cwd: temporary,
      strict: true, // treat every warning about the archive as an error
      filter: (path, entry) => {
        const type = "type" in entry ? entry.type : "File";
        const folderOnly = type === "Directory" && path.replace(/\/$/, "") === ARCHIVE_FOLDER;
        const plain = /^cifar-10-batches-bin\/[^/]+$/.test(path) && (type === "File" || type === "OldFile");
        const small = (entry.size ?? 0) <= LARGEST_FILE;
        if (!folderOnly && (!plain || !small)) refused.push(path);
        return plain && small && WANTED.includes(basename(path));
      },
    }).catch((error) => {
      throw explainTarError(error, archive);
    });
    if (refused.length) {
      throw refuse(archive, `it has entries that do not belong there (${refused.slice(0, 3).join(", ")})`);
    }
    const unpacked = join(temporary, ARCHIVE_FOLDER);
    await Deno.mkdir(unpacked, { recursive: true }); // an empty archive fails below
    const { files } = await readCifar10(unpacked, check);
    writeProvenance(unpacked, {
      ...provenance,
      sha256: Object.fromEntries(files.map(({ file, sha256 }) => [file, sha256])),
    });
    await Deno.rename(unpacked, join(folder, ARCHIVE_FOLDER));
  } finally {
    await removeFolder(temporary);
  }
}

/** Removes a folder into which, after an error, the tar package may still be writing for a moment. */
async function removeFolder(path: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOTEMPTY" || attempt === 20) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

/** Deletes the temporary folders of killed processes. */
export async function removeLeftovers(folder: string): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory && entry.name.startsWith(`.${ARCHIVE_FOLDER}.`)) {
      await Deno.remove(join(folder, entry.name), { recursive: true });
    }
  }
}

/** Tells a full disk from a damaged archive: errors of the tar package have a code `TAR_…` or `Z_…`. */
export function explainTarError(error: unknown, archive: string): unknown {
  const { code, tarCode, message } = error as { code?: string; tarCode?: string; message: string };
  const explained = explainWriteError(error, dirname(archive));
  if (explained !== error || !/^(TAR_|Z_)/.test(tarCode ?? code ?? "")) return explained;
  return refuse(archive, `it is damaged (${message})`, error);
}

function refuse(archive: string, why: string, cause?: unknown): InputError {
  return new InputError(
    { what: `unpack ${archive}`, why, next: [{ advice: "delete it and download it again" }] },
    {
      cause,
    },
  );
}
