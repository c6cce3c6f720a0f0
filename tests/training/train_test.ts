import assert from "node:assert/strict";
import { join } from "@std/path";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { InputError } from "../../lib/support/errors.ts";
import { parseSafetensors, readSafetensors, writeSafetensors } from "../../lib/support/safetensors.ts";
import { batches, countBatches } from "../../lib/data/batches.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { disposeAll } from "../../lib/model/state_dict.ts";
import { makeTensors, openCheckpoint } from "../../lib/training/checkpoint.ts";
import { chooseSign } from "../../lib/training/choose_sign.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import { evaluate } from "../../lib/training/evaluate.ts";
import type { TrainObserver, TrainStart } from "../../lib/training/observer.ts";
import { openRunFolder } from "../../lib/training/run_folder.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";
import { createOptimizer, createSlots } from "../../lib/training/optimizer.ts";
import { selectRunData } from "../../lib/training/run_data.ts";
import { learningRateAt } from "../../lib/training/schedule.ts";
import { joinState, splitState } from "../../lib/training/start_training.ts";
import type { TrainResult } from "../../lib/training/train.ts";
import { type TrainState, trainStep } from "../../lib/training/train_step.ts";
import { leaveOut } from "../../lib/data/splits.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { assertClose } from "../testing/oracle.ts";
import {
  assertSameValues,
  countTensors,
  gpuRules,
  isSame,
  readAll,
  type Values,
} from "../testing/tensors.ts";
import {
  atStep,
  jumpingClock,
  readHistory,
  timeless,
  TINY_DATASETS,
  TINY_STEPS,
  trainTiny,
  trainUntil,
} from "../testing/training.ts";

await useNativeTensorFlow({ device: "cpu" });

/** Measures a checkpoint's accuracy on the test set. */
async function measureAgain(path: string, images = TINY_DATASETS.test): Promise<number> {
  const { config, loadNetwork } = await openCheckpoint(path);
  const network = loadNetwork();
  try {
    return (await evaluate(network, images, config)).accuracy;
  } finally {
    disposeAll(network);
  }
}

const bestOf = (history: EpochRecord[]) => {
  const accuracies = history.map(({ testAccuracy }) => testAccuracy);
  return { epoch: accuracies.indexOf(Math.max(...accuracies)) + 1, accuracy: Math.max(...accuracies) };
};

Deno.test("a training writes history, configuration and both checkpoints, and returns its result", async () => {
  using runs = temporaryFolder();
  const result = await trainTiny(runs.path, { epochs: 3 });
  const { folder, history, best, test, chosenOn, recorded } = result;
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
    ".lock",
    "best.safetensors",
    "config.json",
    "history.jsonl",
    "last.safetensors",
  ]);
  assert.deepEqual(readHistory(folder), history);
  assert.deepEqual(history.map(({ epoch, step }) => [epoch, step]), [[1, 5], [2, 10], [3, 15]]);
  for (const record of history) {
    assert.deepEqual(Object.keys(record), [
      ...["epoch", "step", "learningRate", "trainLoss", "trainAccuracy", "testLoss", "testAccuracy"],
      ...["seconds", "imagesPerSecond", "tensorBytes", "data", "weights"],
    ]);
    assert.ok(Number.isInteger(Math.round(record.trainAccuracy * 37 * 1e6) / 1e6), "a share of 37 images");
    assert.ok(record.seconds > 0 && record.imagesPerSecond > 0 && record.tensorBytes > 1e6);
    assert.deepEqual([record.data, record.weights], ["synthetic", "random"]);
  }
  assert.deepEqual(best, bestOf(history));
  assert.equal(chosenOn, "test");
  assert.deepEqual(test, { loss: history[best.epoch - 1].testLoss, accuracy: best.accuracy });
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(join(folder, "config.json"))), {
    ...result.config,
    recorded,
  });
  assert.deepEqual([recorded.device, recorded.data, recorded.weights], ["cpu", "synthetic", "random"]);
});

Deno.test("best.safetensors is the best epoch's network, last.safetensors the last one's", async () => {
  using runs = temporaryFolder();
  // a learning rate that spoils what was learnt: the best epoch is not the last
  const { folder, history, best } = await trainTiny(runs.path, {
    epochs: 4,
    learningRate: 0.5,
    schedule: "constant",
  });
  const { progress } = await openCheckpoint(join(folder, "best.safetensors"));
  assert.deepEqual([progress.epochs, progress.best], [best.epoch, best]);
  assert.equal(await measureAgain(join(folder, "best.safetensors")), best.accuracy);
  assert.equal(await measureAgain(join(folder, "last.safetensors")), history.at(-1)!.testAccuracy);
});

Deno.test("with a validation set, the best epoch is chosen on it, and the test set is used once", async () => {
  using runs = temporaryFolder();
  const flags = { epochs: 3, validation: 15 };
  const tested: number[] = [];
  const { folder, history, best, test, chosenOn } = await trainTiny(runs.path, flags, {
    observer: {
      onStart: ({ testedOn, trainImages, testImages }) =>
        assert.deepEqual([testedOn, trainImages, testImages], ["validation", 22, 15]),
      onTest: ({ epoch }) => tested.push(epoch),
    },
  });
  assert.equal(chosenOn, "validation");
  assert.deepEqual(tested, [1, 2, 3]);
  const { calibration, ...chosen } = best;
  assert.deepEqual(chosen, bestOf(history));
  assert.equal(calibration?.images, 15);
  const config = { subset: null, testSubset: null, validation: 15, seed: 0 } as TrainConfig;
  const path = join(folder, "best.safetensors");
  assert.equal(await measureAgain(path, selectRunData(TINY_DATASETS, config).chooseOn), best.accuracy);
  assert.equal(await measureAgain(path), test.accuracy);
});

Deno.test("a run's images are a subset, with a validation set split off by the seed", () => {
  const datasets = createSynthetic({ trainSize: 200, testSize: 100 });
  const cut = (changes: Partial<TrainConfig>) =>
    selectRunData(
      datasets,
      { subset: null, testSubset: null, validation: 0, seed: 0, ...changes } as TrainConfig,
    );
  const sizes = ({ train, chooseOn, test, testedOn }: ReturnType<typeof cut>) => [
    ...[train, chooseOn, test].map(({ labels }) => labels.length),
    testedOn,
  ];
  assert.deepEqual(sizes(cut({})), [200, 100, 100, "test"]);
  assert.deepEqual(sizes(cut({ subset: 50, testSubset: 30 })), [50, 30, 30, "test"]);
  assert.deepEqual(sizes(cut({ subset: 50, testSubset: 30, validation: 20 })), [30, 20, 30, "validation"]);
  assert.deepEqual(cut({ validation: 20 }), cut({ validation: 20 }));
  assert.notDeepEqual(cut({ validation: 20 }).chooseOn, cut({ validation: 20, seed: 1 }).chooseOn);
  assert.throws(
    () => cut({ subset: 20, validation: 20 }),
    /Cannot hold out 20 of 20 training images: none would be left to train on\./,
  );
});

for (
  const flags of [{ optimizer: "adam", learningRate: 0.002 }, {
    clipNorm: 1,
    validation: 9,
    seed: 4,
  }] as const
) {
  Deno.test(`a training equals a manual loop over trainStep: ${JSON.stringify(flags)}`, async () => {
    using runs = temporaryFolder();
    const { folder, config, history } = await trainTiny(runs.path, flags);
    const { network, slots } = (await openCheckpoint(join(folder, "last.safetensors"))).readTensors();
    const actual = await readAll(makeTensors(new Map([...network, ...slots!])));
    assertSameValues(actual, await trainByHand(config));
    assert.equal(history.length, 2);
  });
}

/**
 * What a training comes to, step by step, from the functions that it consists of. The sign of the maps is
 * chosen once, at the end: choosing it after each epoch changes nothing else.
 */
async function trainByHand(config: TrainConfig): Promise<Values> {
  const { batchSize, seed, epochs } = config;
  const optimizer = createOptimizer(config);
  const { trainable, fixed } = splitState(createNetwork(config, { seed }), config);
  let state: TrainState = { trainable, fixed, slots: createSlots(optimizer, trainable) };
  const { train: images } = selectRunData(TINY_DATASETS, config);
  const totalSteps = epochs * countBatches(images, batchSize);
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const batch of batches(images, { batchSize, seed, epoch, shuffle: true, augment: true })) {
      const rates = optimizer.rates(learningRateAt(step, { ...config, totalSteps }), ++step);
      const tensors = {
        images: tf.tensor4d(batch.values, batch.shape),
        labels: tf.tensor1d(batch.labels, "int32"),
      };
      const scalars = Object.fromEntries(
        Object.entries(rates).map(([name, value]) => [name, tf.scalar(value)]),
      );
      const result = trainStep(config, optimizer, state, tensors, scalars);
      state = { ...result, fixed: { ...state.fixed, ...result.statistics } };
    }
  }
  await chooseSign(state, images, config);
  return await readAll({ ...joinState(state), ...state.slots });
}

Deno.test("static-shared stays at 10 % accuracy and a loss of ln 10", async () => {
  using runs = temporaryFolder();
  const { history } = await trainTiny(runs.path, { variant: "static-shared", compile: true });
  for (const { trainLoss, testLoss, testAccuracy } of history) {
    assertClose([trainLoss, testLoss], [Math.log(10), Math.log(10)], 1e-6, "loss");
    assert.equal(testAccuracy, 0.1); // of 20 images, two of each class: exactly
  }
});

for (const compile of [false, true]) {
  Deno.test(`fifty steps with tests leak no tensor, ${compile ? "compiled" : "eager"}`, async () => {
    using runs = temporaryFolder();
    const before = countTensors();
    const counts: ReturnType<typeof countTensors>[] = [];
    const { history } = await trainTiny(
      runs.path,
      { compile, epochs: 5, batchSize: 4, validation: 1, optimizer: "adam", clipNorm: 1 }, // 9 steps per epoch
      { observer: { onEpoch: () => void counts.push(countTensors()) } },
    );
    await trainTiny(runs.path, {
      compile,
      epochs: 6,
      batchSize: 4,
      validation: 1,
      optimizer: "adam",
      clipNorm: 1,
    }, { resume: "tiny" });
    assert.equal(history.at(-1)!.step, 45);
    for (const count of counts.slice(1)) assert.deepEqual(count, counts[1]); // no more from epoch to epoch …
    assert.deepEqual(countTensors(), before); // … and none in the end
  });
}

Deno.test("a training that is stopped, refused or diverges leaks no tensor", async () => {
  using runs = temporaryFolder();
  using _clock = jumpingClock();
  const before = countTensors();
  await trainUntil(atStep(2), runs.path);
  await assert.rejects(trainTiny(runs.path), InputError);
  await assert.rejects(trainTiny(runs.path, { seed: 5 }, { resume: "tiny" }), InputError);
  const other = { ...TINY_DATASETS, train: { ...TINY_DATASETS.train, name: "other" } };
  await assert.rejects(trainTiny(runs.path, {}, { resume: "tiny", datasets: other }), InputError);
  await assert.rejects(trainTiny(runs.path, { run: "wild", learningRate: 1e20 }), InputError);
  assert.deepEqual(countTensors(), before);
});

const REFUSED: [what: string, flags: Partial<TrainConfig>, message: RegExp][] = [
  [
    "another batch size",
    { batchSize: 16 },
    /^Cannot resume run tiny with batchSize 16 \(it has batchSize 8\): that would be another training/,
  ],
  ["another seed", { seed: 1 }, /seed 1 \(it has seed 0\)/],
  ["another variant", { variant: "static-shared" }, /variant static-shared/],
  ["another name", { run: "other" }, /run other/],
];

Deno.test("a run is not resumed as another training", async (test) => {
  using runs = temporaryFolder();
  const { folder } = await trainTiny(runs.path, { epochs: 1 });
  const before = Deno.readFileSync(join(folder, "last.safetensors"));
  const refuse = async (
    message: RegExp,
    ...more: Parameters<typeof trainTiny> extends [string, ...infer Rest] ? Rest : never
  ) => {
    await assert.rejects(trainTiny(runs.path, ...more), (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.ok(isSame(Deno.readFileSync(join(folder, "last.safetensors")), before));
  };
  for (const [what, flags, message] of REFUSED) {
    await test.step(what, () => refuse(message, flags, { resume: "tiny" }));
  }
  await test.step("on another data set", () =>
    refuse(
      /^Cannot resume run tiny: it was started with synthetic, and the data found now is CIFAR-10\.$/,
      {},
      {
        resume: "tiny",
        datasets: { ...TINY_DATASETS, train: { ...TINY_DATASETS.train, name: "CIFAR-10" } },
      },
    ));
  await test.step("on other images of the same data set", () =>
    refuse(
      /^Cannot resume run tiny: the images found now are not those of synthetic that it was started with\.$/,
      { epochs: 2 },
      {
        resume: "tiny",
        datasets: createSynthetic({ trainSize: 30, testSize: 20 }),
      },
    ));
  await test.step("on images of which one byte differs", () => {
    const images = TINY_DATASETS.test.images.slice();
    images[100]++;
    const datasets = { ...TINY_DATASETS, test: { ...TINY_DATASETS.test, images } };
    return refuse(/the images found now are not those of synthetic/, { epochs: 2 }, {
      resume: "tiny",
      datasets,
    });
  });
  await test.step("nor is it overwritten", () =>
    refuse(/^Cannot start run tiny: it is already in .*\/tiny\.$/, {}));
});

Deno.test("a run that another process is training is refused, new or resumed", async () => {
  using runs = temporaryFolder();
  await trainTiny(runs.path, { epochs: 1 });
  using _held = openRunFolder(join(runs.path, "tiny"), false); // its lock, as another process holds it
  const refusal = { message: "Cannot train run tiny: another process is training it." };
  await assert.rejects(trainTiny(runs.path), refusal);
  await assert.rejects(trainTiny(runs.path, {}, { resume: "tiny" }), refusal);
});

Deno.test("an observer receives every step's loss once, however rarely it is told", async () => {
  using runs = temporaryFolder();
  const losses: number[] = [];
  const { history } = await trainTiny(runs.path, { epochs: 2 }, {
    observer: { onStep: (step) => void losses.push(...step.losses) },
  });
  assert.equal(losses.length, 10);
  for (const [epoch, { trainLoss }] of history.entries()) { // the fifth batch has 5 images and not 8
    const sum = losses.slice(5 * epoch, 5 * epoch + 5).reduce(
      (sum, loss, at) => sum + loss * (at < 4 ? 8 : 5),
      0,
    );
    assert.ok(Math.abs(sum / 37 - trainLoss) < 1e-12);
  }
});

Deno.test("a diverging training stops at that step and keeps the last good state", async () => {
  using runs = temporaryFolder();
  using _clock = jumpingClock();
  const steps: number[] = [];
  await assert.rejects(
    trainTiny(runs.path, { learningRate: 1e20, schedule: "constant" }, {
      observer: { onStep: ({ step }) => void steps.push(step) },
    }),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      const found =
        /^Cannot train beyond step (\d+) \(epoch 1\): the training diverged, .*; the last good state is in .*\.$/
          .exec(error.message);
      assert.ok(found, error.message);
      assert.equal(Number(found[1]), steps.length + 1);
      assert.deepEqual(error.next, [{ set: { learningRate: 1e19 } }, { set: { clipNorm: 1 } }]);
      assert.ok(steps.length >= 1 && steps.length < TINY_STEPS); // after the first step the loss was still a number
      return true;
    },
  );
  const { progress } = await openCheckpoint(join(runs.path, "tiny", "last.safetensors"));
  assert.equal(progress.totalSteps, 0);
});

Deno.test("one image in batches of one is trained and tested on, with any network", async () => {
  using runs = temporaryFolder();
  const datasets = createSynthetic({ trainSize: 1, testSize: 1 });
  const networks = [{}, { backbone: "frozen", adapter: "1x1", augment: false }, {
    optimizer: "adam",
    momentum: 0,
  }];
  for (const [run, flags] of networks.entries()) {
    const config = { run: `${run}`, batchSize: 1, clipNorm: 1, ...flags } as Partial<TrainConfig>;
    const { history } = await trainTiny(runs.path, config, { datasets });
    assert.ok(
      history.every(({ trainLoss, testLoss }) => trainLoss > 0 && testLoss > 0),
      JSON.stringify(history),
    );
  }
});

const LAST_OF_EPOCH = { batchSize: 64, compile: true };
for (
  const [where, flags] of Object.entries({
    "inside an epoch": { compile: true },
    "at its end": LAST_OF_EPOCH,
    "at its end, on a GPU, which keeps them to itself": LAST_OF_EPOCH,
  })
) {
  Deno.test(`parameters that overflow are found at that step: ${where}`, async () => {
    using runs = temporaryFolder();
    using _clock = jumpingClock();
    using _gpu = where.includes("GPU") ? gpuRules() : null;
    // the loss of the first step is finite, and so is everything but the parameters after it
    await assert.rejects(trainTiny(runs.path, { learningRate: 3e38, schedule: "constant", ...flags }), {
      name: "InputError",
      message:
        "Cannot train beyond step 1 (epoch 1): the training diverged, its parameters are NaN or overflow; " +
        `the last good state is in ${join(runs.path, "tiny", "last.safetensors")}.`,
    });
    const { progress } = await openCheckpoint(join(runs.path, "tiny", "last.safetensors"));
    assert.equal(progress.totalSteps, 0);
  });
}

Deno.test("scores that overflow in an epoch's test are that epoch's divergence", async () => {
  using runs = temporaryFolder();
  const flags = { compile: true, learningRate: 1e-20 };
  const { folder } = await trainTiny(runs.path, { ...flags, epochs: 1 });
  const path = join(folder, "last.safetensors");
  const { tensors, metadata } = await readSafetensors(path);
  (tensors.get("score_predictor.2.weight")!.data as Float32Array).fill(1e6);
  // read in tests only: a training normalises by the batch's statistics
  for (const layer of ["layer1.0.bn2", "layer1.1.bn2"]) {
    (tensors.get(`backbone.${layer}.running_mean`)!.data as Float32Array).fill(-5e37, 0, 3);
  }
  writeSafetensors(path, tensors, metadata);
  await assert.rejects(
    trainTiny(runs.path, { ...flags, epochs: 2 }, { resume: "tiny" }),
    /beyond step 10 \(epoch 2\): the training diverged, its scores are NaN or infinite/,
  );
});

Deno.test("a late divergence keeps the epochs before", async () => {
  using runs = temporaryFolder();
  const flags = { schedule: "constant", learningRate: 0.01 } as const;
  const { folder } = await trainTiny(runs.path, { ...flags, epochs: 1 });
  const { config } = await openCheckpoint(join(folder, "last.safetensors"));
  assert.equal(config.epochs, 1);
  // the same training, but from its second epoch on the optimizer's state is beyond all bounds
  await poison(join(folder, "last.safetensors"));
  await assert.rejects(
    trainTiny(runs.path, { ...flags, epochs: 2 }, { resume: "tiny" }),
    /beyond step \d+ \(epoch 2\): the training diverged/,
  );
  assert.equal(await measureAgain(join(folder, "last.safetensors")), readHistory(folder)[0].testAccuracy);
  assert.equal(readHistory(folder).length, 1);
});

/** Makes the momentum of a checkpoint huge, so that its network is sound and the next step is not. */
async function poison(path: string): Promise<void> {
  const { tensors, metadata } = await readSafetensors(path);
  for (const [name, { data }] of tensors) {
    if (name.startsWith("optimizer.")) (data as Float32Array).fill(3e38);
  }
  writeSafetensors(path, tensors, metadata);
}

Deno.test("the state is saved every 30 s, also within an epoch", async () => {
  using runs = temporaryFolder();
  using _clock = jumpingClock(31_000);
  const saved: number[] = [];
  const onStep = () => {
    const { metadata } = parseSafetensors(
      Deno.readFileSync(join(runs.path, "tiny", "last.safetensors")),
      "last",
    );
    saved.push(JSON.parse(metadata.progress).totalSteps);
  };
  await trainTiny(runs.path, {}, { observer: { onStep } });
  assert.deepEqual(saved, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]); // at each step: what was saved after the one before
});

Deno.test("an observer receives the start, every pause, test and epoch, and the end", async () => {
  using runs = temporaryFolder();
  using _clock = jumpingClock();
  const told: string[] = [];
  let start: TrainStart | undefined;
  const observer: Required<TrainObserver> = {
    onStart: (info) => void (start = info),
    onStep: ({ epoch, step, steps, loss, accuracy, secondsLeft, imagesPerSecond }) => {
      assert.ok(loss! > 0 && accuracy! >= 0 && accuracy! <= 1 && secondsLeft >= 0 && imagesPerSecond > 0);
      told.push(`step ${epoch}.${step}/${steps}`);
    },
    onTest: ({ epoch, step, steps }) => void told.push(`test ${epoch}.${step}/${steps}`),
    onEpoch: ({ epoch }, isBest) => void told.push(`epoch ${epoch}${isBest ? " best" : ""}`),
    onMessage: (text) => void told.push(text),
    onEnd: () => void told.push("end"),
  };
  const { history, config, recorded, folder } = await trainTiny(runs.path, { epochs: 2 }, { observer });
  const steps = (epoch: number) => [1, 2, 3, 4, 5].map((step) => `step ${epoch}.${step}/5`);
  const isSecondBest = history[1].testAccuracy > history[0].testAccuracy;
  assert.deepEqual(told.filter((text) => /^(step|test|epoch|end)/.test(text)), [
    ...[...steps(1), "test 1.1/1", "epoch 1 best"],
    ...[...steps(2), "test 2.1/1", `epoch 2${isSecondBest ? " best" : ""}`],
    "end",
  ]);
  assert.deepEqual(start, {
    ...{ run: "tiny", config, recorded, folder, trainImages: 37, testImages: 20 },
    ...{ epochs: 2, epochsDone: 0, testedOn: "test" },
  });
});

Deno.test("every variant, backbone, adapter, loop and optimizer trains", async () => {
  using runs = temporaryFolder();
  const networks: Partial<TrainConfig>[] = [
    {
      variant: "static-per-class",
      classLoop: true,
      optimizer: "adam",
      learningRate: 0.001,
      decoupledWeightDecay: true,
      weightDecay: 0.01,
    },
    {
      variant: "static-ten-way",
      backbone: "bn-only",
      adapter: "3x3",
      labelSmoothing: 0.1,
      schedule: "cosine",
      winograd: false,
    },
    { variant: "dynamic", backbone: "frozen", adapter: "3x3", augment: false },
    { variant: "static-per-class", backbone: "frozen" },
    { variant: "static-shared", adapter: "1x1", momentum: 0, weightDecay: 0 },
  ];
  for (const flags of networks) {
    const { history, folder } = await trainTiny(runs.path, { epochs: 1, run: undefined, ...flags });
    assert.ok(history[0].trainLoss < 4, `${history[0].trainLoss}`);
    assert.equal(await measureAgain(join(folder, "last.safetensors")), history[0].testAccuracy);
  }
});

Deno.test("cached features of a frozen backbone train like the images", async () => {
  using runs = temporaryFolder();
  const results: TrainResult[] = [];
  for (const augment of [true, false]) {
    // images that augmentation cannot change: uniformly black, which is what a crop takes from
    // outside
    const blank = {
      ...TINY_DATASETS,
      train: { ...TINY_DATASETS.train, images: new Uint8Array(TINY_DATASETS.train.images.length) },
    };
    results.push(
      await trainTiny(join(runs.path, `${augment}`), { backbone: "frozen", adapter: "3x3", augment }, {
        datasets: blank,
      }),
    );
  }
  const [images, features] = results.map(({ history }) =>
    history.map(({ trainLoss, testLoss }) => [trainLoss, testLoss]).flat()
  );
  assertClose(features, images, 1e-5, "losses");
  assert.equal(timeless(results[0].history).length, 2);
});

Deno.test("event files hold the curves that TensorBoard draws", async () => {
  using runs = temporaryFolder();
  const { folder } = await trainTiny(runs.path, { tensorboard: true });
  const files = [...Deno.readDirSync(join(folder, "tensorboard"))].map(({ name }) => name);
  assert.equal(files.length, 1);
  assert.match(files[0], /^events\.out\.tfevents\./);
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(join(folder, "tensorboard", files[0])));
  for (
    const curve of [
      "loss/train",
      "loss/test",
      "accuracy/train",
      "accuracy/test",
      "learning rate",
      "images per second",
    ]
  ) {
    assert.equal(text.split(curve).length - 1, 2, curve); // one point per epoch
  }
  assert.equal(tf.getBackend(), "tensorflow");
});

Deno.test("a training on nine classes has nine scores and their names, also resumed, and static-shared", async () => {
  const datasets = {
    train: leaveOut(TINY_DATASETS.train, 4),
    test: leaveOut(TINY_DATASETS.test, 4),
  };
  for (const variant of ["dynamic", "static-shared"] as const) {
    using runs = temporaryFolder();
    const { folder, test } = await trainTiny(runs.path, { variant, epochs: 1 }, { datasets });
    const checkpoint = await openCheckpoint(join(folder, "last.safetensors"));
    assert.deepEqual(checkpoint.classNames, datasets.train.classNames);
    if (variant === "static-shared") assert(Math.abs(test.loss - Math.log(9)) < 1e-6, `${test.loss}`);
    await trainTiny(runs.path, { variant, epochs: 2 }, { datasets, resume: "tiny" });
    const resumed = await openCheckpoint(join(folder, "last.safetensors"));
    assert.deepEqual([resumed.classNames, resumed.progress.epochs], [datasets.train.classNames, 2]);
  }
});
