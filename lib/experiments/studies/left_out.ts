import { CLASS_NAMES, relabel } from "../../data/dataset.ts";
import { leaveOut } from "../../data/splits.ts";
import type { Variant } from "../../model/spec.ts";
import { type StudyContext, type StudyUnit, trainRun } from "../study.ts";

/** A training without one class. */
export interface LeftOut extends StudyUnit {
  seed: number;
  left: number;
}

/** Plans a training without each class, per seed. */
export function planLeftOut(seeds: readonly number[]): LeftOut[] {
  return seeds.flatMap((seed) =>
    CLASS_NAMES.map((name, left) => ({ name: `seed${seed}-without-${name}`, seed, left }))
  );
}

/** Trains without a class; the images returned are of all classes, that one the last. */
export async function trainLeftOut(context: StudyContext, { name, seed, left }: LeftOut, variant: Variant) {
  const { train, test } = context.datasets;
  const known = { train: leaveOut(train, left), test: leaveOut(test, left) };
  const checkpoint = await trainRun(context, { run: name, variant, seed }, known);
  const names = [...checkpoint.classNames, CLASS_NAMES[left]];
  return { checkpoint, names, train: relabel(train, names), test: relabel(test, names) };
}
