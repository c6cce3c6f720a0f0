import assert from "node:assert/strict";
import { filterCount } from "../../lib/model/spec.ts";
import { join } from "@std/path";
import { describeNetwork } from "../../lib/export/fold_network.ts";
import { foldNetwork } from "../../lib/export/fold_network.ts";
import { toOnnx } from "../../lib/export/onnx.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { assertClose } from "../testing/oracle.ts";
import { CASES, channelsFirst, createCase, TOLERANCE } from "./cases.ts";
import { readOnnx, runOnnx } from "./onnx_reader.ts";
import { findOraclePython, runOracle } from "./oracle_python.ts";

for (const spec of CASES) {
  Deno.test(`the ONNX model of ${spec.variant}, adapter ${spec.adapter}, gives the network's scores and maps`, async () => {
    const { checkpoint, pictures, count, scores, maps } = await createCase(spec);
    const { config, network } = checkpoint;
    const { classes } = spec;
    const bytes = toOnnx(foldNetwork(network, { ...config, classes }), describeNetwork(checkpoint));
    const model = readOnnx(bytes);
    const K = filterCount(spec.variant, classes);
    assert.deepEqual(model.inputs, { images: ["N", 3, 32, 32] });
    assert.deepEqual(model.outputs, { scores: ["N", classes], maps: ["N", K, 8, 8] });
    assert.deepEqual([model.irVersion, model.opset], [7, 13]);
    assert.equal(model.metadata.trainedOn, "nothing");
    assert.equal(model.metadata.classes.split(",").length, classes);
    assert.equal(model.metadata.variant, spec.variant);
    const names = [...model.constants.keys(), ...model.nodes.flatMap(({ outputs }) => outputs)];
    assert.equal(new Set(names).size, names.length, "two values have one name");

    const [ours, theirs] = tf.tidy(() => {
      const images = tf.tensor4d(channelsFirst(pictures), [count, 3, 32, 32]);
      const { scores, maps } = runOnnx(model, images);
      return [scores, maps];
    });
    assert.deepEqual([ours.shape, theirs.shape], [[count, classes], [count, K, 8, 8]]);
    assertClose(await ours.data(), scores, TOLERANCE, "scores");
    assertClose(await theirs.data(), maps, TOLERANCE, "maps");
    tf.dispose([ours, theirs]);
  });
}

const python = await findOraclePython("onnx", "onnxruntime");
const PROGRAM = `
import onnx, onnxruntime
onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
scores, maps = session.run(["scores", "maps"], {"images": images})
`;

for (const spec of CASES) {
  Deno.test(`onnxruntime gives the scores and maps of ${spec.variant}, adapter ${spec.adapter}`, {
    ignore: python === null,
  }, async () => {
    using folder = temporaryFolder();
    const { checkpoint: { config, network }, pictures, count, scores, maps } = await createCase(spec, 20);
    const path = join(folder.path, "model.onnx");
    Deno.writeFileSync(path, toOnnx(foldNetwork(network, { ...config, classes: spec.classes })));
    const theirs = await runOracle(python!, PROGRAM, [path], channelsFirst(pictures), [count, 3, 32, 32]);
    assertClose(theirs.scores, scores, TOLERANCE, "scores");
    assertClose(theirs.maps, maps, TOLERANCE, "maps");
  });
}
