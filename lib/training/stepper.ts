import * as tf from "../tensorflow/runtime/tf.ts";
import { nativeBackend } from "../tensorflow/runtime/binding.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import { keepState } from "../tensorflow/compile/keep_state.ts";
import { disposeAll } from "../model/state_dict.ts";
import type { Optimizer, Rates } from "./optimizer.ts";
import {
  type StepResult,
  type StepSettings,
  type TensorBatch,
  type TrainState,
  trainStep,
} from "./train_step.ts";

/** Takes training steps. */
export interface Stepper {
  /** Takes a step; the caller disposes the results. */
  advance(batch: TensorBatch, rates: Rates): Pick<StepResult, "loss" | "correct">;
  /** Updates the state's tensors; call it before reading them. */
  settle(): void;
  /** Takes up the state's tensors: call it after changing them. */
  reload(): void;
  /** False if the state's tensors are older than the last step. */
  isSettled(): boolean;
  dispose(): void;
}

export interface StepperOptions {
  settings: StepSettings;
  optimizer: Optimizer;
  /** Its tensors are replaced by each step's. */
  state: TrainState;
  /** Compile a step to one graph. */
  compile: boolean;
  /** Keep the state within the graph, which saves transfers to a GPU. @default on a GPU */
  keep?: boolean;
}

/** Creates a {@linkcode Stepper}. The options do not change the results. */
export function createStepper({ keep, ...options }: StepperOptions): Stepper {
  const isKept = keep ?? nativeBackend()?.isUsingGpuDevice ?? false;
  return options.compile && isKept ? createKeptStepper(options) : createPassingStepper(options);
}

/** Passes the state into each step and takes it out again. */
function createPassingStepper(options: StepperOptions): Stepper {
  const { settings, optimizer, state } = options;
  const step = compile(
    (state: TrainState, batch: TensorBatch, rates: Rates) =>
      trainStep(settings, optimizer, state, batch, rates),
    { name: "trainStep", eager: !options.compile },
  );
  return {
    advance(batch, rates) {
      const { trainable, statistics, slots, ...result } = step(state, batch, rates);
      disposeAll(state.trainable, state.slots);
      for (const [name, statistic] of Object.entries(statistics)) {
        state.fixed[name].dispose();
        state.fixed[name] = statistic;
      }
      Object.assign(state, { trainable, slots });
      return result;
    },
    settle: () => {},
    reload: () => {},
    isSettled: () => true,
    dispose: () => step.dispose(),
  };
}

/** Keeps the state in the graph's variables until {@linkcode Stepper.settle}. */
function createKeptStepper({ settings, optimizer, state }: StepperOptions): Stepper {
  const step = keepState(
    (state: TrainState, batch: TensorBatch, rates: Rates) => {
      const { trainable, statistics, slots, ...result } = trainStep(settings, optimizer, state, batch, rates);
      const next: TrainState = { trainable, fixed: { ...state.fixed, ...statistics }, slots };
      return [next, result];
    },
    state,
    { name: "trainStep" },
  );
  let isSettled = true;
  return {
    advance(batch, rates) {
      isSettled = false;
      return step(batch, rates);
    },
    settle() {
      if (isSettled) return;
      const { trainable, fixed, slots } = step.read();
      disposeAll(state.trainable, state.slots);
      tf.dispose(Object.values(state.fixed));
      Object.assign(state, { trainable, slots });
      Object.assign(state.fixed, fixed);
      isSettled = true;
    },
    reload: () => step.write(state),
    isSettled: () => isSettled,
    dispose: () => step.dispose(),
  };
}
