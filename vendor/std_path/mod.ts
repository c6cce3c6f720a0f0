/**
 * Stand-in for `jsr:@std/path` where its registry cannot be reached: the functions this project uses, from
 * `node:path`. Delete the `links` line of `deno.json` to use the published package instead.
 *
 * @module
 */
export { basename, dirname, extname, isAbsolute, join, relative, resolve } from "node:path";
export { fileURLToPath as fromFileUrl, pathToFileURL as toFileUrl } from "node:url";
