/** Functions of the compiled library `kernels.so`, beside the operations that TensorFlow calls in it. */

const SYMBOLS = {
  findProcessor: { parameters: [], result: "i32" },
  registerOperations: { parameters: ["i32", "i32"], result: "pointer" },
  findVaryingShape: { parameters: ["buffer", "usize"], result: "pointer" },
  cropImages: { parameters: ["buffer", "buffer", "buffer", "buffer", "i32", "i32"], result: "void" },
} as const;

let library: Deno.DynamicLibrary<typeof SYMBOLS> | undefined;

/** Opens the library; returns its functions. TensorFlow's own must have been loaded before. */
export function openLibrary(path: string): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  library = Deno.dlopen(path, SYMBOLS);
  return library.symbols;
}

/** Finds an operation whose result's shape depends on values in a graph (a `GraphDef`): its type, or null. */
export function findVaryingShape(graph: Uint8Array<ArrayBuffer>): string | null {
  const found = library!.symbols.findVaryingShape(graph, BigInt(graph.length));
  return Deno.UnsafePointerView.getCString(found!) || null;
}

/** Numbers per image in {@linkcode CropOptions.crops}. */
export const CROP_NUMBERS = 4;

/** Options of {@linkcode cropImages}. */
export interface CropOptions {
  /** Bytes `[N,size,size,3]`. */
  images: Uint8Array;
  /**
   * Images to write and their changes `[B,4]`: index in `images`, columns and rows that the crop is moved, 1 to
   * flip it afterwards.
   */
  crops: Int32Array<ArrayBuffer>;
  /** Value of each byte, one table per channel: `[3,256]`. */
  lookup: Float32Array<ArrayBuffer>;
  /** Where to write `[B,size,size,3]`. Pixels outside of an image are byte 0's. */
  values: Float32Array<ArrayBuffer>;
  /** Height and width of an image. */
  size: number;
}

/**
 * Crops, flips and normalises images on all threads. The caller answers for indices and lengths.
 *
 * @returns False, and nothing is written, if the library is not open.
 */
export function cropImages({ images, crops, lookup, values, size }: CropOptions): boolean {
  if (library === undefined) return false;
  const bytes = images as Uint8Array<ArrayBuffer>;
  library.symbols.cropImages(bytes, crops, lookup, values, crops.length / CROP_NUMBERS, size);
  return true;
}
