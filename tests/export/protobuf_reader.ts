/** A field's value: a whole number, the bits of a fixed one, or bytes. */
type Value = bigint | Uint8Array;

/** Reads Protocol Buffers' wire format: the values of each field, in their order. */
export class Fields {
  #values = new Map<number, Value[]>();

  constructor(bytes: Uint8Array) {
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n;; shift += 7n) {
        const byte = bytes[at++];
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.length) {
      const key = Number(varint());
      let value: Value;
      if ((key & 7) === 0) value = varint();
      else if ((key & 7) === 2) {
        const length = Number(varint());
        value = bytes.slice(at, at += length);
        if (value.length !== length) throw new Error("cut short");
      } else throw new Error(`wire type ${key & 7} is not read here`);
      const list = this.#values.get(key >> 3) ?? [];
      this.#values.set(key >> 3, list);
      list.push(value);
    }
  }

  integers(field: number): number[] {
    return (this.#values.get(field) ?? []).map((value) => Number(BigInt.asIntN(64, value as bigint)));
  }
  integer(field: number): number {
    return this.integers(field)[0];
  }
  bytes(field: number): Uint8Array[] {
    return (this.#values.get(field) ?? []) as Uint8Array[];
  }
  texts(field: number): string[] {
    return this.bytes(field).map((value) => new TextDecoder().decode(value));
  }
  text(field: number): string {
    return this.texts(field)[0];
  }
  messages(field: number): Fields[] {
    return this.bytes(field).map((value) => new Fields(value));
  }
  message(field: number): Fields {
    return this.messages(field)[0];
  }
}
