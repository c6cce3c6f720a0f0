import { z } from "zod";
import { readText } from "../support/files.ts";
import { parseJson } from "../support/schema.ts";
import type { ConfigFile } from "./config.ts";

const CONFIG_FILE = z.record(z.string(), z.unknown());

/**
 * Reads a JSON configuration file for {@linkcode resolveConfig}. Apart from it, since that runs in a browser
 * as well.
 *
 * @throws {InputError} if it cannot be read, or does not hold a JSON object.
 */
export function readConfigFile(path: string): ConfigFile {
  return { path, values: parseJson(CONFIG_FILE, readText(path, 1e6), path) };
}
