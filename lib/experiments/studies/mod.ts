import { unknownName } from "../../support/schema.ts";
import { CLASS_NAMES_STUDY } from "./class_names.ts";
import { NEW_CLASS } from "./new_class.ts";
import { PICTURES_STUDY } from "./pictures.ts";
import type { Study } from "../study.ts";
import { FAITHFUL } from "./faithful.ts";
import { FROZEN_FIT } from "./frozen_fit.ts";
import { RECIPES_STUDY } from "./recipes.ts";
import { ROAR } from "./roar.ts";

/** Every study, in the order of the report. */
export const STUDIES: readonly Study[] = [
  FAITHFUL,
  ROAR,
  NEW_CLASS,
  CLASS_NAMES_STUDY,
  FROZEN_FIT,
  PICTURES_STUDY,
  RECIPES_STUDY,
];

/** Finds a study by its name. @throws {InputError} If there is none. */
export function findStudy(name: string): Study {
  const found = STUDIES.find((study) => study.name === name);
  if (found !== undefined) return found;
  throw unknownName(`measure ${name}`, "there is no such study", name, STUDIES.map((study) => study.name));
}
