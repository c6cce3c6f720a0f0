/**
 * Writes Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding), as much as graphs need.
 * @module
 */

const VARINT = 0, LENGTH_DELIMITED = 2, FIXED_32 = 5; // wire types
const encoder = new TextEncoder();

/** A message being written, field by field in any order. */
export class Message {
  #bytes = new Uint8Array(64);
  #length = 0;

  /** A whole number or a flag, negative ones as 64-bit two's complement. */
  int(field: number, value: number | bigint | boolean): this {
    this.#varint(field << 3 | VARINT);
    this.#varint(value);
    return this;
  }

  /** A number of 32 bits with a fraction. */
  float(field: number, value: number): this {
    this.#varint(field << 3 | FIXED_32);
    this.#append(new Uint8Array(Float32Array.of(value).buffer)); // little-endian, as every machine TensorFlow is built for
    return this;
  }

  /** Bytes, a text in UTF-8, or a message inside this one. */
  bytes(field: number, value: Uint8Array | string | Message): this {
    const content = typeof value === "string"
      ? encoder.encode(value)
      : value instanceof Message
      ? value.finish()
      : value;
    this.#varint(field << 3 | LENGTH_DELIMITED);
    this.#varint(content.length);
    this.#append(content);
    return this;
  }

  /** The bytes written so far. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #varint(value: number | bigint | boolean): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    bytes.push(Number(rest));
    this.#append(bytes);
  }

  #append(content: ArrayLike<number>): void {
    const length = this.#length + content.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(content, this.#length);
    this.#length = length;
  }
}
