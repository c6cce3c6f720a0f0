/**
 * How a picture is to be turned: the tag Orientation of EXIF, 1–8 (CIPA DC-008, 4.6.5.1.4).
 *
 * @module
 */

const ORIENTATION = 0x0112;

/**
 * Reads the orientation from EXIF data (a TIFF header and its first directory).
 *
 * @returns 1–8; 1, as it is, where there is none or the data is damaged.
 */
export function readOrientation(exif: Uint8Array): number {
  try {
    const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
    const isLittle = view.getUint16(0) === 0x4949; // "II"
    const directory = view.getUint32(4, isLittle);
    const entries = view.getUint16(directory, isLittle);
    for (let at = directory + 2; at < directory + 2 + 12 * entries; at += 12) {
      if (view.getUint16(at, isLittle) !== ORIENTATION) continue;
      const orientation = view.getUint16(at + 8, isLittle);
      return orientation >= 1 && orientation <= 8 ? orientation : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the data ends too early
  }
  return 1;
}

/**
 * Turns a square picture upright.
 *
 * @param pixels `[size,size,3]`.
 * @param orientation 1–8.
 */
export function turnUpright(pixels: Uint8Array, size: number, orientation: number): Uint8Array {
  if (orientation === 1) return pixels;
  const upright = new Uint8Array(pixels.length);
  const last = size - 1;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      // where the stored picture holds what is seen at (x, y)
      const [column, row] = [
        [x, y],
        [last - x, y],
        [last - x, last - y],
        [x, last - y],
        [y, x],
        [y, last - x],
        [last - y, last - x],
        [last - y, x],
      ][orientation - 1];
      const from = 3 * (row * size + column);
      upright.set(pixels.subarray(from, from + 3), 3 * (y * size + x));
    }
  }
  return upright;
}
