import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A protobuf message without its schema: the values of each field, in their order. */
export class Fields {
  #values = new Map<number, (bigint | Uint8Array)[]>();

  constructor(bytes: Uint8Array) {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (type !== WireType.Varint && type !== WireType.LengthDelimited) {
        throw new Error(`wire type ${type} is not read here`);
      }
      const value = type === WireType.Varint ? BigInt(reader.int64()) : reader.bytes();
      this.#values.set(field, [...this.#values.get(field) ?? [], value]);
    }
  }

  integers(field: number): number[] {
    return (this.#values.get(field) ?? []).map(Number);
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
