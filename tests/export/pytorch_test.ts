import assert from "node:assert/strict";
import { join } from "@std/path";
import { exportNetwork } from "../../lib/export/export_network.ts";
import { writeFiles } from "../../lib/support/write_files.ts";
import { listTensors } from "../../lib/model/tensor_list.ts";
import { parseSafetensors } from "../../lib/support/safetensors.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { assertClose } from "../testing/oracle.ts";
import { CASES, channelsFirst, createCase, TOLERANCE } from "./cases.ts";
import { findOraclePython, runOracle } from "./oracle_python.ts";

Deno.test("the state dict has exactly the network's tensors of the checkpoint", async () => {
  for (const spec of CASES) {
    const { checkpoint } = await createCase(spec, 1);
    const [weights, module] = exportNetwork(checkpoint, "pytorch", "out/my-run 2.safetensors");
    assert.deepEqual([weights.path, module.path], ["out/my-run 2.safetensors", "out/load_my_run_2.py"]);
    const { tensors, metadata } = parseSafetensors(weights.bytes, "state dict");
    const shapes = [...tensors].map(([name, { shape }]) => [name, shape]);
    const expected = listTensors(spec).map(({ name, shape }) => [name, shape]);
    assert.deepEqual(Object.fromEntries(shapes), Object.fromEntries(expected));
    for (const [name, { data }] of tensors) assert.deepEqual(data, checkpoint.network.get(name)!.data);
    assert.deepEqual([metadata.format, metadata.trainedOn], ["pt", "nothing"]);
    const source = new TextDecoder().decode(module.bytes);
    assert(
      source.includes('with_name("my-run 2.safetensors")') && source.includes("from load_my_run_2 import"),
    );
  }
});

const python = await findOraclePython("torch", "safetensors");
const PROGRAM = `
import torch
sys.path.insert(0, sys.argv[1])
import load_model as model
with torch.inference_mode():
    scores, maps = (values.numpy() for values in model.load()(torch.from_numpy(images)))
`;

for (const spec of CASES) {
  Deno.test(
    `PyTorch loads ${spec.variant}, adapter ${spec.adapter}, strictly and gives its scores and maps`,
    {
      ignore: python === null,
    },
    async () => {
      using folder = temporaryFolder();
      const { checkpoint, pictures, count, scores, maps } = await createCase(spec, 20);
      writeFiles(exportNetwork(checkpoint, "pytorch", join(folder.path, "model.safetensors")));
      const theirs = await runOracle(python!, PROGRAM, [folder.path], channelsFirst(pictures), [
        count,
        3,
        32,
        32,
      ]);
      assertClose(theirs.scores, scores, TOLERANCE, "scores");
      assertClose(theirs.maps, maps, TOLERANCE, "maps");
      const alone = await new Deno.Command(python!, { args: [join(folder.path, "load_model.py")] }).output();
      assert.equal(new TextDecoder().decode(alone.stdout).trim().split("\n").length, spec.classes);
    },
  );
}
