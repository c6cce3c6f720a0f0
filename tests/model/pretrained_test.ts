import assert from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { loadPretrained, type LoadPretrainedOptions } from "../../lib/model/pretrained.ts";
import { createRandom } from "../../lib/support/random.ts";
import { formatSafetensors, readSafetensors, type StoredTensor } from "../../lib/support/safetensors.ts";
import { type FileAnswer, type FileRequest, serveBytes, startFileServer } from "../testing/file_server.ts";
import { makeFolder, temporaryVariable } from "../testing/folder.ts";

const random = createRandom(18);
const tensor = (...shape: number[]): StoredTensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, data: Float32Array.from({ length: size }, () => random.next()) };
};
const norm = (name: string): [string, StoredTensor][] =>
  ["weight", "bias", "running_mean", "running_var"].map((part) => [`${name}.${part}`, tensor(64)]);

/** The tensors up to layer1, and some of the others, so that there are gaps. */
function makeResNet(): Map<string, StoredTensor> {
  const blocks = [0, 1].flatMap((block): [string, StoredTensor][] => [
    [`layer1.${block}.conv1.weight`, tensor(64, 64, 3, 3)],
    ...norm(`layer1.${block}.bn1`),
    [`layer1.${block}.conv2.weight`, tensor(64, 64, 3, 3)],
    ...norm(`layer1.${block}.bn2`),
  ]);
  return new Map<string, StoredTensor>([
    ["conv1.weight", tensor(64, 3, 7, 7)],
    ...norm("bn1"),
    ["bn1.num_batches_tracked", { shape: [], data: BigInt64Array.of(5n) }],
    ...blocks,
    ["fc.bias", tensor(1000)],
    ["fc.weight", tensor(1000, 512)],
    ["layer2.0.conv1.weight", tensor(128, 64, 3, 3)],
  ]);
}

const FULL = makeResNet();
const BYTES = formatSafetensors(FULL);
const NEEDED = [...FULL.keys()].filter((name) => !/fc|layer2|num_batches/.test(name));
const NEEDED_BYTES = NEEDED.reduce((sum, name) => sum + FULL.get(name)!.data.byteLength, 0);

async function load(
  handle: (request: FileRequest, count: number) => FileAnswer,
  { variable = null, ...options }: LoadPretrainedOptions & { variable?: string | null } = {},
) {
  const file = options.file ?? join(makeFolder(), "data", "resnet18-layer1.safetensors");
  const said: string[] = [];
  await using server = startFileServer(handle);
  let result: Awaited<ReturnType<typeof loadPretrained>> | undefined;
  let error: Error | undefined;
  using _variable = temporaryVariable("RESNET18_WEIGHTS", variable);
  const url = `${server.url}/model.safetensors`;
  const log = (text: string) => said.push(text);
  const network = { retryDelay: 1, attempts: 2 };
  await loadPretrained({ url, network, log, ...options, file }).then(
    (it) => result = it,
    (why) => error = why,
  );
  return { file, result, error, said: said.join("\n"), requests: server.requests };
}

const serve = (request: FileRequest) => serveBytes(BYTES, request);
const refuse = () => ({ status: 404 });

function assertTensors(tensors: ReadonlyMap<string, { shape: number[]; data: Float32Array }> | null) {
  assert.deepEqual([...tensors!.keys()].sort(), NEEDED.toSorted());
  assert.equal(tensors!.size, 25);
  for (const name of NEEDED) assert.deepEqual(tensors!.get(name), FULL.get(name), name);
}

async function write(tensors: Iterable<[string, StoredTensor]>): Promise<string> {
  const path = join(makeFolder(), "weights.safetensors");
  await Deno.writeFile(path, formatSafetensors(tensors));
  return path;
}

Deno.test("only the bytes of the 25 tensors are downloaded, and the next run finds them", async () => {
  const progress: [number, number | undefined][] = [];
  const { file, result, said, requests } = await load(serve, {
    onDownload: (...told) => progress.push(told),
  });
  assertTensors(result!.tensors);
  assert.equal(result!.source, "download");
  assert.match(said, /^Downloading ResNet-18's pretrained weights/);
  const header = Number(new DataView(BYTES.buffer).getBigUint64(0, true));
  const asked = requests.map(({ from, to }) => [from!, to!]);
  assert.deepEqual(asked.slice(0, 2), [[0, 8], [0, 8 + header]]);
  const fetched = asked.slice(2).reduce((sum, [from, to]) => sum + to - from, 0);
  assert.equal(asked.length, 4); // bn1 and conv1, then layer1: fc lies between them
  assert.ok(fetched >= NEEDED_BYTES && fetched < NEEDED_BYTES + 5000, `${fetched} bytes of ${NEEDED_BYTES}`);
  assert.deepEqual(progress.at(-1), [fetched, fetched]);
  assert.deepEqual([...Deno.readDirSync(join(file, ".."))].map(({ name }) => name), [
    "resnet18-layer1.safetensors",
  ]);
  assert.equal((await readSafetensors(file)).tensors.size, 25);

  const again = await load(refuse, { file });
  assertTensors(again.result!.tensors);
  assert.equal(again.result!.source, "local");
  assert.equal(again.requests.length, 0);
});

Deno.test("a server without ranges and an interrupted one give the same tensors", async () => {
  assertTensors(
    (await load(() => ({ headers: { "Content-Length": BYTES.length }, body: BYTES }))).result!.tensors,
  );
  const cutting = await load((request, count) => {
    const answer = serve(request);
    return count === 3 || count === 5 ? { ...answer, body: answer.body!.subarray(0, 1000) } : answer;
  });
  assertTensors(cutting.result!.tensors);
});

Deno.test("a file is named by its own name and checksum, as torchvision's only if it was fetched", async () => {
  const weights = await write(FULL);
  const { result } = await load(refuse, { weights });
  assertTensors(result!.tensors);
  assert.equal(result!.source, "option");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", BYTES)).toHex().slice(0, 8);
  assert.equal(result!.name, `ResNet-18 layer1 (file weights.safetensors, sha256 ${digest}…)`);
  // fetched, but not from the published place
  assert.match(
    (await load(serve)).result!.name,
    /^ResNet-18 layer1 \(file resnet18-layer1\.safetensors, sha256 /,
  );
});

Deno.test("a file from the published URL is named torchvision's", async () => {
  const { PUBLISHED_WEIGHTS } = await import("../../lib/model/pretrained.ts");
  const file = join(makeFolder(), "resnet18-layer1.safetensors");
  await Deno.writeFile(file, formatSafetensors(FULL, { source: PUBLISHED_WEIGHTS }));
  const { result } = await load(refuse, { file });
  assert.match(
    result!.name,
    /^torchvision ResNet-18 IMAGENET1K_V1 \(timm\/resnet18\.tv_in1k, sha256 [0-9a-f]{8}…\)$/,
  );
  const named = await load(refuse, { weights: file }); // a user's file may say anything
  assert.match(named.result!.name, /^ResNet-18 layer1 \(file /);
});

Deno.test("the setting overrides RESNET18_WEIGHTS, which overrides the file in data/", async () => {
  const [one, two, file] = [await write(FULL), await write(FULL), await write(FULL)];
  const source = async (options: Parameters<typeof load>[1]) =>
    (await load(refuse, { file, ...options })).result!.source;
  assert.equal(await source({ weights: one, variable: two }), "option");
  assert.equal(await source({ variable: two }), "environment");
  assert.equal(await source({}), "local");
  const asked = await load(refuse, { file, weights: "random", variable: two });
  assert.deepEqual(asked.result, { tensors: null, name: "random", source: "random" });
  assert.equal(asked.said, "");
});

Deno.test("offline, initialisation is random, with a warning and the reason", async () => {
  const { result, said } = await load(() => ({ status: 503 }));
  assert.equal(result!.tensors, null);
  assert.equal(result!.name, "random");
  assert.match(result!.reason!, /^Cannot reach 127\.0\.0\.1/);
  assert.match(
    said,
    /The pretrained weights are not here and cannot be downloaded\. Cannot reach/,
  );
  assert.match(said, /RANDOM/);
});

Deno.test("a refusal and a wrong file are errors, not random initialisation", async () => {
  const message = async (handle: (request: FileRequest) => FileAnswer) => {
    const { error } = await load(handle);
    assert.ok(error instanceof InputError, `not an InputError: ${error}`);
    return `${error.message} ${JSON.stringify(error.next)}`;
  };
  const advice = /give a safetensors file .*\{"set":\{"weights":"random"\}\}\]$/;
  assert.match(await message(refuse), /answered 404 Not Found\./);
  assert.match(await message(refuse), advice);
  const page = new TextEncoder().encode("<html>This is not what you are looking for.</html>");
  assert.match(await message((request) => serveBytes(page, request)), /it is not a safetensors file/);
  const other = formatSafetensors([...FULL].filter(([name]) => name !== "layer1.1.bn2.bias"));
  assert.match(
    await message((request) => serveBytes(other, request)),
    /it has no tensor layer1\.1\.bn2\.bias/,
  );
  assert.match(
    await message((request) => serveBytes(BYTES.subarray(0, 100_000), request)),
    /has only 100000 bytes/,
  );
});

Deno.test("a file of wrong tensors is an error that names the first", async () => {
  const change = async (name: string, changed: StoredTensor | null) => {
    const tensors = new Map(FULL);
    if (changed) tensors.set(name, changed);
    else tensors.delete(name);
    const { error } = await load(refuse, { weights: await write(tensors) });
    assert.ok(error instanceof InputError, `not an InputError: ${error}`);
    return error.message;
  };
  const values = (value: number) => ({ shape: [64], data: new Float32Array(64).fill(1).fill(value, 7, 8) });
  assert.match(
    await change("layer1.0.bn1.weight", null),
    /weights\.safetensors as pretrained weights: it has no tensor layer1\.0\.bn1\.weight\.$/,
  );
  assert.match(await change("bn1.bias", tensor(32)), /bn1\.bias has the shape \[32\], expected \[64\]/);
  const transposed = tensor(7, 7, 3, 64);
  assert.match(
    await change("conv1.weight", transposed),
    /conv1\.weight has the shape \[7, 7, 3, 64\], expected \[64, 3, 7, 7\]/,
  );
  assert.match(
    await change("bn1.bias", { shape: [64], data: new Int32Array(64) }),
    /bn1\.bias is not of type F32/,
  );
  assert.match(await change("bn1.running_var", values(-0.5)), /value 7 of bn1\.running_var is -0\.5/);
  assert.match(await change("bn1.weight", values(NaN)), /value 7 of bn1\.weight is NaN/);
});

Deno.test("a missing file, a folder and another file format are errors", async () => {
  const folder = makeFolder();
  const message = async (weights: string) => (await load(refuse, { weights })).error!;
  const missing = await message(join(folder, "none"));
  assert.match(
    missing.message,
    /Cannot read the pretrained weights .*none: there is no such file\.$/,
  );
  assert.ok(missing instanceof InputError);
  assert.ok(await message(folder) instanceof InputError);
  await Deno.writeTextFile(join(folder, "text"), "not a safetensors file, but long enough");
  assert.match((await message(join(folder, "text"))).message, /text: it is not a safetensors file/);
});
