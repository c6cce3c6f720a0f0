import { dirname, join } from "@std/path";
import type { Browser } from "puppeteer-core";
import { figureFonts } from "../../lib/figures/mod.ts";
import { exists } from "../../lib/support/files.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Starts a headless Chromium with a fresh profile in `folder`. @param options More of its options. */
export async function launchChromium(folder: string, options: readonly string[] = []): Promise<Browser> {
  const { default: puppeteer } = await import("puppeteer-core");
  const fonts = join(folder, "fonts.conf");
  await Deno.writeTextFile(fonts, listFonts());
  return await puppeteer.launch({
    executablePath: requireChromium(),
    userDataDir: join(folder, "profile"),
    env: { ...Deno.env.toObject(), FONTCONFIG_FILE: fonts },
    args: [
      "--no-sandbox", // which containers do not allow
      "--disable-gpu",
      "--disable-quic",
      "--disable-dev-shm-usage",
      "--hide-scrollbars",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...options,
    ],
  });
}

/**
 * The machine's fonts, and the figures' own: machines with a screen have one of its widths, bare containers
 * may not.
 */
function listFonts(): string {
  const folders = figureFonts().map((path) => `<dir>${dirname(path)}</dir>`).join("");
  return `<?xml version="1.0"?><fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include>${folders}</fontconfig>`;
}

/** True where there is no Chromium: `ignore` of a test that needs one. */
export const LACKS_CHROMIUM = findChromium() === null;

function requireChromium(): string {
  const path = findChromium();
  if (path !== null) return path;
  throw new Error("No Chromium is here: install it (Debian: apt install chromium), or name it by CHROMIUM.");
}

function findChromium(): string | null {
  const chosen = Deno.env.get("CHROMIUM");
  if (chosen !== undefined) return chosen;
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  for (const path of NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    if (exists(path)) return path;
  }
  return null;
}
