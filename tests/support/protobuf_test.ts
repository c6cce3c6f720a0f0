import assert from "node:assert/strict";
import { Message } from "../../lib/support/protobuf.ts";

const hex = (message: Message) =>
  Array.from(message.finish(), (byte) => byte.toString(16).padStart(2, "0")).join(" ");

// the examples of https://protobuf.dev/programming-guides/encoding
Deno.test("whole numbers are varints", () => {
  assert.equal(hex(new Message().int(1, 150)), "08 96 01");
  assert.equal(hex(new Message().int(1, -2)), "08 fe ff ff ff ff ff ff ff ff 01");
  assert.equal(hex(new Message().int(5, true).int(5, false)), "28 01 28 00");
  assert.equal(hex(new Message().int(16, 2 ** 40)), "80 01 80 80 80 80 80 20");
});

Deno.test("texts, bytes and messages come with their length", () => {
  assert.equal(hex(new Message().bytes(2, "testing")), "12 07 74 65 73 74 69 6e 67");
  assert.equal(hex(new Message().bytes(3, new Message().int(1, 150))), "1a 03 08 96 01");
  assert.equal(hex(new Message().bytes(1, "é").bytes(1, new Uint8Array(0))), "0a 02 c3 a9 0a 00");
});

Deno.test("numbers with a fraction take four bytes", () => {
  assert.equal(hex(new Message().float(4, 1.5)), "25 00 00 c0 3f");
});

Deno.test("a message grows to any length", () => {
  const message = new Message();
  for (let count = 0; count < 1000; count++) message.bytes(1, new Message().int(1, count % 100));
  const bytes = message.finish();
  assert.equal(bytes.length, 4000);
  assert.deepEqual(Array.from(bytes.subarray(-8)), [10, 2, 8, 98, 10, 2, 8, 99]);
});
