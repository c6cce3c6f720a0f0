import assert from "node:assert/strict";
import { join } from "@std/path";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import { exportNetwork } from "../../lib/export/export_network.ts";
import { writeFiles } from "../../lib/support/write_files.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { assertClose } from "../testing/oracle.ts";
import { onPlainBackend, readAll } from "../testing/tensors.ts";
import { CASES, createCase, TOLERANCE } from "./cases.ts";

for (const spec of CASES) {
  Deno.test(`TensorFlow.js loads the graph model of ${spec.variant}, adapter ${spec.adapter}, natively and in plain JavaScript`, async () => {
    using folder = temporaryFolder();
    const { checkpoint, pictures, count, scores, maps } = await createCase(spec, 3);
    writeFiles(exportNetwork(checkpoint, "tfjs", folder.path));
    const { weightsManifest, ...topology } = JSON.parse(
      Deno.readTextFileSync(join(folder.path, "model.json")),
    );
    const weightData = Deno.readFileSync(join(folder.path, weightsManifest[0].paths[0])).buffer;
    const model = await loadGraphModel({
      load: () => Promise.resolve({ ...topology, weightSpecs: weightsManifest[0].weights, weightData }),
    });
    assert.deepEqual(model.inputs.map(({ name, shape, dtype }) => [name, shape, dtype]), [
      ["images", [-1, 32, 32, 3], "float32"],
    ]);
    assert.deepEqual(model.outputs.map(({ name }) => name), ["scores", "maps"]);
    const run = () => {
      const images = tf.tensor4d(pictures, [count, 32, 32, 3]);
      // two copies of tfjs-core's types, one engine
      const outputs = model.execute({ images: images as never }, [
        "scores",
        "maps",
      ]) as unknown as tf.Tensor[];
      images.dispose();
      return { scores: outputs[0], maps: outputs[1] };
    };
    const native = await readAll(run());
    const plain = await onPlainBackend(run);
    for (const outputs of [native, plain]) {
      assertClose(outputs.scores, scores, TOLERANCE, "scores");
      assertClose(outputs.maps, maps, TOLERANCE, "maps");
    }
    model.dispose();
  });
}
