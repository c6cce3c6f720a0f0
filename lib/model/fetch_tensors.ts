import { basename } from "@std/path";
import { fetchRange, type FetchRangeOptions } from "../support/download/range.ts";
import { DownloadError } from "../support/download/request.ts";
import { decodeTensor, parseHeader, type StoredTensor, type TensorEntry } from "../support/safetensors.ts";

/** Bytes between two wanted tensors that are fetched as well rather than asking once more. */
const SMALL_GAP = 65_536;

/** A header larger than this is none: ResNet-18's has 12 KB. */
const LARGEST_HEADER = 1_000_000;

/**
 * Fetches some tensors out of a safetensors file on a server: its header, then only the bytes needed, neighbours together.
 *
 * @throws {DownloadError} If they cannot be had.
 * @throws {InputError} If the file has not the tensors asked for, or is no safetensors file.
 */
export async function fetchTensors(
  url: string,
  names: string[],
  { onDownload, ...network }: FetchRangeOptions = {},
): Promise<Map<string, StoredTensor>> {
  const length = Number(new DataView((await fetchRange(url, 0, 8, network)).buffer).getBigUint64(0, true));
  if (length < 2 || length > LARGEST_HEADER) {
    throw new DownloadError({ what: `use ${url}`, why: "it is not a safetensors file" }, "damaged");
  }
  const label = basename(url);
  const { entries, headerBytes } = parseHeader(await fetchRange(url, 0, 8 + length, network), label);
  const wanted = names.map((name): [string, TensorEntry] => {
    const entry = entries.get(name);
    if (!entry) throw new DownloadError({ what: `use ${url}`, why: `it has no tensor ${name}` }, "damaged");
    return [name, entry];
  });
  const ranges = mergeRanges(wanted.map(([, entry]) => entry.data_offsets));
  const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  let before = 0;
  const pieces: { start: number; bytes: Uint8Array }[] = [];
  for (const { start, end } of ranges) {
    const bytes = await fetchRange(url, headerBytes + start, headerBytes + end, {
      ...network,
      onDownload: (bytes) => onDownload?.(before + bytes, total),
    });
    pieces.push({ start, bytes });
    before += bytes.length;
  }
  return new Map(wanted.map(([name, entry]) => {
    const [start, end] = entry.data_offsets;
    const piece = pieces.findLast((piece) => piece.start <= start)!;
    const bytes = piece.bytes.subarray(start - piece.start, end - piece.start);
    return [name, decodeTensor(entry, bytes, `${name} in ${label}`)];
  }));
}

/** Joins ranges that touch or nearly do. */
function mergeRanges(offsets: [number, number][]): { start: number; end: number }[] {
  const merged: { start: number; end: number }[] = [];
  for (const [start, end] of offsets.toSorted(([one], [other]) => one - other)) {
    const last = merged.at(-1);
    if (last && start - last.end <= SMALL_GAP) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}
