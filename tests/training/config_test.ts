import assert from "node:assert/strict";
import { VARIANTS } from "../testing/networks.ts";
import { join } from "@std/path";
import { z } from "zod";
import { InputError } from "../../lib/support/errors.ts";
import { checkResumable, configSchema, resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import { readConfigFile } from "../../lib/training/config_file.ts";
import { LAB } from "../../lib/training/options.ts";
import { temporaryFolder } from "../testing/folder.ts";

Deno.test("the default configuration is the lab's recipe", () => {
  assert.deepEqual(resolveConfig(), {
    run: "dynamic",
    seed: 0,
    variant: "dynamic",
    backbone: "trainable",
    adapter: "none",
    weights: null,
    classLoop: false,
    epochs: 12,
    batchSize: 128,
    optimizer: "sgd",
    learningRate: 0.05,
    schedule: "one-cycle",
    momentum: 0.9,
    weightDecay: 0.0005,
    decoupledWeightDecay: false,
    labelSmoothing: 0,
    clipNorm: null,
    data: null,
    augment: true,
    subset: null,
    testSubset: null,
    validation: 0,
    device: "auto",
    compile: true,
    winograd: true,
    tensorboard: false,
  });
});

Deno.test("later sources override earlier ones: defaults, resumed run, file, flags", () => {
  const base = { ...resolveConfig(), seed: 1, epochs: 2, batchSize: 3 };
  const file = { path: "a.json", values: { epochs: 20, batchSize: 30 } };
  const config = resolveConfig({ base, file, flags: { batchSize: 300, augment: undefined } });
  assert.deepEqual([config.seed, config.epochs, config.batchSize, config.augment], [1, 20, 300, true]);
});

Deno.test("an explicit null or false overrides earlier sources", () => {
  const file = { path: "a.json", values: { subset: 100, augment: false, clipNorm: 1 } };
  const config = resolveConfig({ file, flags: { subset: null, augment: true } });
  assert.deepEqual([config.subset, config.augment, config.clipNorm], [null, true, 1]);
});

Deno.test("Adam has its own learning rate and weight decay, and no momentum", () => {
  const { learningRate, weightDecay, momentum } = resolveConfig({ flags: { optimizer: "adam" } });
  assert.deepEqual([learningRate, weightDecay, momentum], [0.001, 0, 0]);
  const given = resolveConfig({
    file: { path: "a.json", values: { optimizer: "adam" } },
    flags: { learningRate: 0.01, weightDecay: 0.1 },
  });
  assert.deepEqual([given.learningRate, given.weightDecay], [0.01, 0.1]);
});

Deno.test("a recipe's options come after those of earlier sources and before its own source's", () => {
  const values = { epochs: 77, labelSmoothing: 0.7, shift: 3 };
  const fast = resolveConfig({ flags: { recipe: "fast" } });
  assert.equal(fast.run, "dynamic-fast");
  const named = { path: "a.json", values: { ...values, recipe: "fast" } };
  for (const source of [{ file: named }, { flags: { ...values, recipe: "fast" } as Partial<TrainConfig> }]) {
    assert.deepEqual(resolveConfig(source), { ...fast, ...values });
  }
  const file = { path: "a.json", values: { epochs: 77, seed: 7 } };
  assert.deepEqual(resolveConfig({ file, flags: { recipe: "fast" } }), { ...fast, seed: 7 });
});

Deno.test("a run by a recipe is read back with the lab's values that were given", () => {
  for (const recipe of ["lab", "fast", "best"] as const) {
    const config = resolveConfig({ flags: { ...LAB, recipe } });
    assert.deepEqual(resolveConfig({ base: JSON.parse(JSON.stringify(config)) }), config);
    assert.equal({ ...LAB, ...config }.shift, LAB.shift);
  }
  assert.deepEqual(resolveConfig({ flags: LAB }), resolveConfig());
});

Deno.test("every recipe is a configuration file of its own name", () => {
  for (const recipe of ["fast", "best"]) {
    const path = new URL(`../../lib/training/recipes/${recipe}.json`, import.meta.url);
    const values = JSON.parse(Deno.readTextFileSync(path));
    assert(fromSchema(values));
    assert.equal(resolveConfig({ file: { path: recipe, values } }).recipe, recipe);
    assert.ok(Deno.statSync(new URL(values.$schema, path)).isFile);
  }
});

Deno.test("a run is named after its network", () => {
  const name = (flags: Partial<TrainConfig>) => resolveConfig({ flags }).run;
  assert.equal(name({ variant: "static-shared" }), "static-shared");
  assert.equal(name({ backbone: "frozen", adapter: "3x3" }), "dynamic-frozen-adapter-3x3");
  assert.equal(name({ backbone: "bn-only", run: "mine" }), "mine");
});

Deno.test("sizes are recorded where they are not the lab's, and refused where they mean nothing", () => {
  const lab = resolveConfig({ flags: { embeddingSize: 128, generatorUnits: 256, predictorUnits: 64 } });
  assert.deepEqual(lab, resolveConfig());
  assert.deepEqual(Object.keys(lab), Object.keys(resolveConfig()));
  const small = resolveConfig({ flags: { embeddingSize: 32, predictorUnits: 16 } });
  assert.equal(small.run, "dynamic-embedding-32-predictor-16");
  assert.equal(resolveConfig({ base: small }).embeddingSize, 32);
  assert.throws(
    () => checkResumable(small, resolveConfig({ base: small, flags: { embeddingSize: 128 } })),
    /embeddingSize 128 \(it has embeddingSize 32\)/,
  );
  assert.throws(
    () => resolveConfig({ flags: { variant: "static-per-class", generatorUnits: 8 } }),
    /Cannot use generatorUnits 8 with a static-per-class network: its filters are stored, not generated/,
  );
  assert.equal(
    resolveConfig({ flags: { variant: "static-per-class", predictorUnits: 8 } }).predictorUnits,
    8,
  );
});

Deno.test("resolving a resolved configuration changes nothing", () => {
  for (const optimizer of ["sgd", "adam"] as const) {
    const config = resolveConfig({ flags: { optimizer, epochs: 3, clipNorm: 2, weights: "random" } });
    const values = { ...JSON.parse(JSON.stringify(config)), recorded: { data: "synthetic" } };
    assert.deepEqual(resolveConfig({ file: { path: "config.json", values } }), config);
    assert.deepEqual(resolveConfig({ base: values }), config);
  }
});

/** What no option of its name can be. */
const BAD_VALUES: { [Name in keyof TrainConfig]: unknown[] } = {
  run: ["", ".", "..", "../up", "a/b", "-run", "a b", 3, null, "x".repeat(101)],
  recipe: ["slow", null],
  seed: [-1, 0.5, 2 ** 32, "0", null],
  variant: ["static", "", null, 0],
  backbone: ["bn", true],
  adapter: ["2x2", null],
  weights: ["", 1, true],
  classLoop: ["true", 1, null],
  epochs: [0, -1, 1.5, "12", null, NaN, Infinity, 1_000_001],
  batchSize: [0, 1.5, "128", null, 10_001],
  optimizer: ["SGD", "adamw"],
  learningRate: [0, -0.1, "0.05", NaN, Infinity],
  kernelRate: [0, "1"],
  schedule: ["onecycle"],
  momentum: [1, -0.1, "0.9"],
  weightDecay: [-1e-9, "0"],
  decoupledWeightDecay: [1],
  labelSmoothing: [1, -0.1],
  clipNorm: [0, -1, "off"],
  data: ["", 5],
  augment: ["no", 0],
  shift: [-1, 32, 1.5],
  subset: [0, -5, 1.5, "all"],
  testSubset: [0, "all"],
  validation: [-1, 0.1, null],
  device: ["cuda", null],
  compile: [1],
  winograd: ["yes"],
  tensorboard: [null],
};

const SCHEMA = z.fromJSONSchema(configSchema() as Parameters<typeof z.fromJSONSchema>[0]);
const fromSchema = (values: object) => SCHEMA.safeParse(values).success;

for (const [name, values] of Object.entries(BAD_VALUES)) {
  Deno.test(`${name} refuses ${JSON.stringify(values)} and says what it must be`, () => {
    for (const value of values) {
      assert.equal(fromSchema({ [name]: value }), false, `${name} ${value}`);
      assert.throws(
        () => resolveConfig({ file: { path: "recipe.json", values: { [name]: value } } }),
        (error) =>
          error instanceof InputError && error.message.startsWith(`Cannot use ${name} `) &&
          error.message.includes(" in recipe.json: it must be ") && error.message.endsWith("."),
        `${name} ${value}`,
      );
    }
  });
}

Deno.test("long and deep values and names are refused in a short sentence", () => {
  const deep = JSON.parse("[".repeat(1e5) + "]".repeat(1e5));
  for (
    const values of [{ epochs: "x".repeat(1e6) }, { epochs: deep }, { data: { deep } }, {
      ["x".repeat(1e6)]: 1,
    }]
  ) {
    assert.throws(() => resolveConfig({ file: { path: "recipe.json", values } }), (error) => {
      assert.ok(error instanceof InputError && error.message.length < 250, String(error).slice(0, 1000));
      return true;
    });
  }
});

Deno.test("inclusive bounds are accepted", () => {
  const edges = {
    seed: 2 ** 32 - 1,
    epochs: 1,
    batchSize: 1,
    momentum: 0,
    weightDecay: 0,
    labelSmoothing: 0.999,
    subset: 1,
  };
  assert.deepEqual({ ...resolveConfig(), ...edges }, resolveConfig({ flags: edges }));
});

Deno.test("an unknown name in a file is refused with a suggestion", () => {
  const resolve = (values: object) => () => resolveConfig({ file: { path: "recipe.json", values } });
  const refusal = (name: string) => `Cannot use ${name} in recipe.json: there is no such option`;
  assert.throws(resolve({ leraningRate: 1 }), {
    message: `${refusal("leraningRate")} (did you mean learningRate?).`,
  });
  assert.throws(resolve({ "batch-size": 1 }), {
    message: `${refusal("batch-size")} (did you mean batchSize?).`,
  });
  assert.throws(resolve({ verbose: true }), { message: `${refusal("verbose")}.` });
  assert.throws(resolve(JSON.parse('{"__proto__": 1}')), /no such option/);
});

Deno.test("options of a single call are refused in a file", () => {
  const message = "Cannot use resume in recipe.json: it belongs to a single call, not to a configuration.";
  assert.throws(
    () => resolveConfig({ file: { path: "recipe.json", values: { resume: "dynamic" } } }),
    { message },
  );
});

Deno.test("a loop over classes is refused for a single filter", () => {
  for (const variant of ["static-shared", "static-ten-way"] as const) {
    assert.throws(
      () => resolveConfig({ flags: { variant, classLoop: true } }),
      { message: `Cannot loop over the classes of a ${variant} network: it has one filter for all of them.` },
    );
  }
  for (const variant of ["dynamic", "static-per-class"] as const) {
    assert.equal(resolveConfig({ flags: { variant, classLoop: true } }).classLoop, true);
  }
});

Deno.test("momentum is refused with Adam, whichever source each comes from", () => {
  const file = { path: "recipe.json", values: { momentum: 0.9 } };
  assert.throws(
    () => resolveConfig({ file, flags: { optimizer: "adam" } }),
    /Cannot use a momentum of 0\.9 with Adam/,
  );
  assert.equal(resolveConfig({ flags: { momentum: 0, optimizer: "adam" } }).momentum, 0);
});

Deno.test("every other combination of variant, backbone and adapter is accepted", () => {
  for (const variant of VARIANTS) {
    for (const backbone of ["trainable", "frozen", "bn-only"] as const) {
      for (const adapter of ["none", "1x1", "3x3"] as const) {
        resolveConfig({ flags: { variant, backbone, adapter } });
      }
    }
  }
});

Deno.test("a run is resumed unchanged, or with more epochs, without a message", () => {
  const saved = resolveConfig();
  assert.deepEqual(checkResumable(saved, resolveConfig({ base: saved })), []);
  const wanted = resolveConfig({ base: saved, flags: { epochs: 20, tensorboard: true, data: "/moved" } });
  assert.deepEqual(checkResumable(saved, wanted), []);
});

Deno.test("changes that affect rounding are reported on resume", () => {
  const saved = resolveConfig();
  const wanted = resolveConfig({ base: saved, flags: { winograd: false, device: "cpu" } });
  const notes = checkResumable(saved, wanted);
  assert.equal(notes.length, 2);
  assert.match(notes[0], /^device cpu where the run has device auto: .*rounding/);
  assert.match(notes[1], /^winograd false where the run has winograd true: .*rounding/);
});

Deno.test("changes that make a different training are refused with both values", () => {
  const saved = resolveConfig();
  assert.throws(
    () => checkResumable(saved, resolveConfig({ base: saved, flags: { batchSize: 64 } })),
    {
      message:
        "Cannot resume run dynamic with batchSize 64 (it has batchSize 128): that would be another training.",
    },
  );
  const two = resolveConfig({ base: saved, flags: { subset: 10, augment: false } });
  assert.throws(
    () => checkResumable(saved, two),
    /augment false .*augment true\) and subset 10 .*subset all/,
  );
});

/** Another value than the default, for each option. */
const OTHER_VALUES: { [Name in keyof TrainConfig]: TrainConfig[Name] } = {
  run: "other",
  recipe: "fast",
  seed: 1,
  variant: "static-per-class",
  backbone: "frozen",
  adapter: "1x1",
  weights: "random",
  classLoop: true,
  epochs: 13,
  batchSize: 64,
  optimizer: "adam",
  learningRate: 0.1,
  kernelRate: 2,
  schedule: "cosine",
  momentum: 0.5,
  weightDecay: 0,
  decoupledWeightDecay: true,
  labelSmoothing: 0.1,
  clipNorm: 1,
  data: "synthetic",
  augment: false,
  shift: 2,
  subset: 10,
  testSubset: 10,
  validation: 10,
  device: "cpu",
  compile: false,
  winograd: false,
  tensorboard: true,
};

Deno.test("only these options may change when a run is resumed", () => {
  const saved = resolveConfig();
  const changeable = Object.keys(OTHER_VALUES).filter((name) => {
    const wanted = { ...saved, [name]: OTHER_VALUES[name as keyof TrainConfig] };
    assert.notDeepEqual(wanted, saved, name);
    try {
      checkResumable(saved, wanted);
      return true;
    } catch (error) {
      assert(error instanceof InputError);
      return false;
    }
  });
  assert.deepEqual(changeable, [
    "classLoop",
    "epochs",
    "data",
    "device",
    "compile",
    "winograd",
    "tensorboard",
  ]);
});

Deno.test("a configuration file is read; an invalid one is refused with its path", () => {
  using folder = temporaryFolder();
  const file = (name: string) => join(folder.path, name);
  for (const text of ['{"epochs": 3}', '\ufeff{"epochs": 3}']) {
    Deno.writeTextFileSync(file("good.json"), text);
    assert.deepEqual(readConfigFile(file("good.json")), { path: file("good.json"), values: { epochs: 3 } });
  }
  const bad = {
    "cut.json": ['{"epochs": ', "it is not JSON (Unexpected end of JSON input)"],
    "empty.json": ["", "it is not JSON (Unexpected end of JSON input)"],
    "list.json": ["[1]", "it must be an object"],
    "null.json": ["null", "it must be an object"],
    "word.json": ['"x"', "it must be an object"],
    "twice.json": ['{"epochs": 1, "ep\\u006fchs": 2}', "it has epochs twice"],
  };
  for (const [name, [text, why]] of Object.entries(bad)) {
    Deno.writeTextFileSync(file(name), text);
    assert.throws(() => readConfigFile(file(name)), { message: `Cannot read ${file(name)}: ${why}.` });
  }
  assert.throws(() => readConfigFile(file("none.json")), /none\.json: there is no such file\.$/);
  assert.throws(() => readConfigFile("/dev/zero"), /it is a device or a pipe and no file\.$/);
});

Deno.test("config.schema.json matches the options", () => {
  const path = new URL("../../config.schema.json", import.meta.url);
  assert.deepEqual(
    JSON.parse(Deno.readTextFileSync(path)),
    JSON.parse(JSON.stringify(configSchema())),
    "it is out of date: deno task pages writes it",
  );
});

Deno.test("the schema accepts a run's config.json, and a file that names the schema", () => {
  assert(fromSchema({ ...resolveConfig(), recorded: { data: "synthetic" } }));
  const values = { $schema: "../config.schema.json", epochs: 3, clipNorm: null };
  assert(fromSchema(values));
  assert.equal(resolveConfig({ file: { path: "recipe.json", values } }).epochs, 3);
  assert.equal(fromSchema({ leraningRate: 1 }), false);
});
