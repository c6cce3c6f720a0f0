import assert from "node:assert/strict";
import { exportNetwork } from "../../lib/export/export_network.ts";
import { CASES, createCase } from "./cases.ts";

for (const format of ["pytorch", "onnx", "tfjs"] as const) {
  Deno.test(`a network whose scores can overflow is not exported for ${format}`, async () => {
    const output = { pytorch: "a.safetensors", onnx: "a.onnx", tfjs: "a" }[format];
    for (const spec of CASES) {
      const { checkpoint } = await createCase(spec, 1);
      exportNetwork(checkpoint, format, output);
      const layers = ["adapter.0", "backbone.layer1.1.conv2", "score_predictor.0", "score_predictor.2"]
        .filter((name) => checkpoint.network.has(`${name}.weight`));
      for (const layer of layers) {
        const weights = checkpoint.network.get(`${layer}.weight`)!.data as Float32Array;
        const before = weights.slice();
        weights.fill(3e37);
        assert.throws(() => exportNetwork(checkpoint, format, output), {
          name: "InputError",
          message: "Cannot export the network: its scores could be NaN or infinite.",
        }, layer);
        weights.set(before);
      }
    }
  });
}
