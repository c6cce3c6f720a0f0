import { fromFileUrl } from "@std/path";

/** Returns the path of the project's top folder, which holds `deno.json`, without a slash at its end. */
export function projectFolder(): string {
  return fromFileUrl(new URL("../../", import.meta.url)).replace(/\/$/, "");
}
