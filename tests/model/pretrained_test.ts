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

/** @param handle null if there is no server. */
async function load(
  handle: ((request: FileRequest, count: number) => FileAnswer) | null,
  { variable = null, ...options }: LoadPretrainedOptions & { variable?: string | null } = {},
) {
  const file = options.file ?? join(makeFolder(), "data", "resnet18-layer1.safetensors");
  const said: string[] = [];
  await using server = startFileServer(handle ?? refuse);
  let result: Awaited<ReturnType<typeof loadPretrained>> | undefined;
  let error: Error | undefined;
  using _variable = temporaryVariable("RESNET18_WEIGHTS", variable);
  const url = `${handle === null ? NO_SERVER : server.url}/model.safetensors`;
  const log = (text: string) => said.push(text);
  const network = { retryDelay: 1, attempts: 2 };
  await loadPretrained({ url, network, log, ...options, file }).then(
    (it) => result = it,
    (why) => error = why,
  );
  return { file, result, error, said: said.join("\n"), requests: server.requests };
}

const NO_SERVER = "http://no-such-host.invalid";
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
  const { result, said } = await load(null);
  assert.equal(result!.tensors, null);
  assert.equal(result!.name, "random");
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
  assert.match(
    await message(() => ({ status: 503 })),
    /answered 503 Service Unavailable\. .*try again later/,
  );
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

Deno.test("a published header that claims an endless tensor is refused before it is fetched", async () => {
  const bytes = formatSafetensors(NEEDED.map((name): [string, StoredTensor] => [name, FULL.get(name)!]));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  header["layer1.1.conv2.weight"].data_offsets[1] = 1e12;
  const claim = new TextEncoder().encode(JSON.stringify(header).padEnd(length + 100));
  const served = new Uint8Array(8 + claim.length);
  new DataView(served.buffer).setBigUint64(0, BigInt(claim.length), true);
  served.set(claim, 8);
  const { error, requests } = await load((request) => serveBytes(served, request));
  assert.match(error!.message, /layer1\.1\.conv2\.weight has \d{12,} bytes/);
  assert.equal(requests.length, 2);
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
    /^Cannot use .*weights\.safetensors as pretrained weights: it has no tensor layer1\.0\.bn1\.weight\.$/,
  );
  assert.match(await change("bn1.bias", tensor(32)), /bn1\.bias has the shape \[32\], expected \[64\]/);
  const transposed = tensor(7, 7, 3, 64);
  assert.match(
    await change("conv1.weight", transposed),
    /conv1\.weight has the shape \[7, 7, 3, 64\], expected \[64, 3, 7, 7\]/,
  );
  assert.match(
    await change("bn1.bias", { shape: [64], data: new Int32Array(64) }),
    /bn1\.bias is of type I32, expected F32, F16, BF16 or F64/,
  );
  assert.match(await change("conv1.weight", tensor(64, 3, 3, 3)), /has the shape \[64, 3, 3, 3\], expected/);
  const zeros = (name: string) => ({
    ...FULL.get(name)!,
    data: FULL.get(name)!.data.slice().fill(0 as never),
  });
  for (const name of ["layer1.1.conv2.weight", "bn1.running_var"]) {
    assert.match(await change(name, zeros(name) as StoredTensor), new RegExp(`all values of ${name} are 0`));
  }
  assert.match(await change("bn1.running_var", values(-0.5)), /value 7 of bn1\.running_var is -0\.5/);
  assert.match(await change("bn1.weight", values(NaN)), /value 7 of bn1\.weight is NaN/);
});

Deno.test("a missing file, a folder and another file format are errors", async () => {
  const folder = makeFolder();
  const message = async (weights: string) => (await load(refuse, { weights })).error!;
  const missing = await message(join(folder, "none"));
  assert.match(
    missing.message,
    /^Cannot use .*none as pretrained weights: there is no such file\.$/,
  );
  assert.ok(missing instanceof InputError);
  assert.ok(await message(folder) instanceof InputError);
  await Deno.writeTextFile(join(folder, "text"), "not a safetensors file, but long enough");
  assert.match((await message(join(folder, "text"))).message, /text .*: it is not a safetensors file/);
  assert.match((await message("/dev/zero")).message, /: it is a device or a pipe and no file\.$/);
  await Deno.writeTextFile(
    join(folder, "weights.pth"),
    "PK\x03\x04 a zip with a pickle, as torch.save writes it",
  );
  const pickle = await load(refuse, { variable: join(folder, "weights.pth") });
  assert.match(pickle.error!.message, /it is a file of torch\.save .* \(set by RESNET18_WEIGHTS\)\.$/);
  assert.match(
    JSON.stringify((pickle.error as InputError).next),
    /save_file.*torchvision's ResNet-18.*random/,
  );
});

Deno.test("weights of another network are refused, whole or cut to layer1", async () => {
  const message = async (...more: [string, StoredTensor][]) => {
    const only25 = NEEDED.map((name): [string, StoredTensor] => [name, FULL.get(name)!]);
    const { error } = await load(refuse, { weights: await write([...only25, ...more]) });
    return error instanceof InputError ? error.message.replace(/.* as pretrained weights: /, "") : error;
  };
  assert.equal(await message(), undefined);
  const other = (name: string) => `it is of another network: ResNet-18 has no ${name}.`;
  const cases: Record<string, StoredTensor> = {
    "layer1.2.conv1.weight": tensor(64, 64, 3, 3), // ResNet-34, cut to layer1
    "layer3.5.conv1.weight": tensor(256, 256, 3, 3), // ResNet-34, without layer1.2
    "layer1.0.conv3.weight": tensor(256, 64, 1, 1), // bottlenecks, as in ResNet-50
    "layer1.0.se.fc1.weight": tensor(4, 64, 1, 1), // squeeze and excitation
    "conv1.bias": tensor(64), // batch norm folded into the convolution
  };
  for (const [name, added] of Object.entries(cases)) assert.equal(await message([name, added]), other(name));
});

Deno.test("half precision, doubles, prefixes and foreign tensors are no obstacle", async () => {
  const half = new Float16Array(64 * 3 * 7 * 7).map((_, index) => index / 9408);
  const tensors: [string, StoredTensor][] = [...FULL].map(([name, { shape, data }]) => [
    `module.backbone.${name}`,
    name === "conv1.weight" ? { shape, data: new Uint8Array(half.buffer), rawType: "F16" } : { shape, data },
  ]);
  const quantised = { shape: [3], data: new Uint8Array(3), rawType: "F8_E4M3" };
  const weights = await write([...tensors, ["head.scale", quantised], ["optimizer.step", tensor(1)]]);
  const { result, error } = await load(refuse, { weights });
  assert.equal(error, undefined);
  assert.deepEqual([...result!.tensors!.keys()].sort(), NEEDED.toSorted());
  assert.deepEqual(result!.tensors!.get("conv1.weight")!.data, new Float32Array(half));
  assert.deepEqual(result!.tensors!.get("bn1.bias"), FULL.get("bn1.bias"));
  const twice = await load(refuse, {
    weights: await write(
      ["model.", "ema."].flatMap((prefix) =>
        [...FULL].map(([name, tensor]): [string, StoredTensor] => [prefix + name, tensor])
      ),
    ),
  });
  assert.match(twice.error!.message, /it holds several networks \((ema\., model\.|model\., ema\.)\)/);
});

Deno.test("a published file that changes while it is fetched is refused, and nothing is kept", async () => {
  const other = formatSafetensors(makeResNet());
  assert.equal(other.length, BYTES.length);
  const { file, error } = await load((request, count) =>
    count < 4 ? serve(request) : serveBytes(other, request, '"two"')
  );
  assert.match(error!.message, /the file changed on the server meanwhile/);
  assert.deepEqual([...Deno.readDirSync(join(file, ".."))], []);
});

Deno.test("a flipped bit in the file that was fetched is noticed", async () => {
  const { file } = await load(serve);
  const bytes = await Deno.readFile(file);
  bytes[bytes.length >> 1] ^= 1;
  await Deno.writeFile(file, bytes);
  const { error } = await load(refuse, { file });
  assert.match(error!.message, /do not match its SHA-256/);
  assert.match(JSON.stringify((error as InputError).next), /delete it to have it downloaded again/);
});

Deno.test("damaged weights are refused or mean the same", async () => {
  const draw = createRandom(12);
  const hashed = formatSafetensors(NEEDED.map((name): [string, StoredTensor] => [name, FULL.get(name)!]));
  const text = new TextDecoder("latin1").decode(hashed);
  const plain = hashed.slice(); // as PyTorch writes it: without a hash, only the header can be checked
  plain[text.indexOf("sha256_of_rest")] ^= 32;
  const header = 8 + Number(new DataView(hashed.buffer).getBigUint64(0, true));
  const path = join(makeFolder(), "weights.safetensors");
  let refused = 0;
  for (let trial = 0; trial < 150; trial++) {
    const isHashed = trial % 2 === 0;
    let bytes = isHashed ? hashed.slice() : plain.slice();
    if (trial % 10 === 9) bytes = bytes.slice(0, draw.integer(bytes.length));
    for (let flips = draw.integer(3); flips >= 0; flips--) {
      bytes[draw.integer(isHashed ? bytes.length : Math.min(header, bytes.length))] ^= 1 << draw.integer(8);
    }
    await Deno.writeFile(path, bytes);
    const { result, error } = await load(refuse, { weights: path });
    if (error) assert.ok(error instanceof InputError, `trial ${trial}: ${error}`);
    else {for (const name of NEEDED) {
        assert.deepEqual(result!.tensors!.get(name), FULL.get(name), `trial ${trial}`);
      }}
    refused += error ? 1 : 0;
  }
  assert.ok(refused > 120, `${refused}`);
});
