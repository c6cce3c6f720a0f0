import assert from "node:assert/strict";
import { exportNetwork } from "../../lib/export/export_network.ts";
import { CASES, createCase } from "./cases.ts";

for (const format of ["pytorch", "onnx", "tfjs"] as const) {
  Deno.test(`a network whose folded numbers overflow is not exported for ${format}`, async () => {
    const { checkpoint } = await createCase(CASES[1], 1);
    for (const layer of [0, 1]) {
      (checkpoint.network.get(`adapter.${layer}.weight`)!.data as Float32Array).fill(3e38);
    }
    const output = { pytorch: "a.safetensors", onnx: "a.onnx", tfjs: "a" }[format];
    assert.throws(() => exportNetwork(checkpoint, format, output), {
      name: "InputError",
      message: "Cannot export the network: its scores would be NaN or infinite.",
    });
  });
}
