/**
 * Every figure against its committed snapshot, and what must hold for all of them.
 *
 * After a wanted change: `UPDATE_SNAPSHOTS=1 deno test -A tests/figures/snapshots_test.ts`, then look at them
 * (`deno run -A tests/figures/preview.ts FOLDER`).
 */
import assert from "node:assert/strict";
import { Resvg } from "@resvg/resvg-js";
import { fromFileUrl, join } from "@std/path";
import { figureFonts } from "../../lib/figures/mod.ts";
import { FIGURES } from "./samples.ts";

const FOLDER = fromFileUrl(new URL("../testdata/figures/", import.meta.url));

const cache = new Map<string, string>();

/** The figure as it is drawn now; all tests of this file share it. */
function drawn(name: string): string {
  if (!cache.has(name)) cache.set(name, FIGURES[name]().svg);
  return cache.get(name)!;
}

/** Fails with the pattern and a few characters about its match, not with the whole picture. */
function refute(name: string, svg: string, pattern: RegExp): void {
  const match = pattern.exec(svg);
  if (match) {
    assert.fail(
      `${name} contains ${pattern}: …${svg.slice(Math.max(0, match.index - 40), match.index + 60)}…`,
    );
  }
}

for (const name of Object.keys(FIGURES)) {
  Deno.test(`the figure ${name} looks as it did`, async () => {
    const path = join(FOLDER, `${name}.svg`);
    const svg = drawn(name);
    if (Deno.env.get("UPDATE_SNAPSHOTS")) {
      await Deno.mkdir(FOLDER, { recursive: true });
      await Deno.writeTextFile(path, svg);
    }
    const before = await Deno.readTextFile(path);
    if (svg === before) return;
    let at = 0;
    while (svg[at] === before[at]) at++;
    assert.fail(
      `${name}.svg differs from its snapshot at character ${at}: now …${
        svg.slice(Math.max(0, at - 40), at + 60)
      }…, ` +
        `before …${before.slice(Math.max(0, at - 40), at + 60)}…`,
    );
  });
}

Deno.test("every figure is one complete SVG on a white sheet that needs nothing from outside", () => {
  for (const name of Object.keys(FIGURES)) {
    const svg = drawn(name);
    const head =
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="(\d+)" height="(\d+)" viewBox="0 0 \1 \2" font-family=/;
    assert.ok(head.test(svg), `${name} starts with ${svg.slice(0, 120)}`);
    const sheet =
      /<title>[^<]+<\/title><desc>[^<]+<\/desc><rect width="\d+" height="\d+" rx="8" fill="#ffffff"\/>/;
    assert.ok(sheet.test(svg), `${name} has no title, description or sheet`);
    assert.ok(svg.endsWith("</svg>\n"), name);
    refute(name, svg, /<(style|script|foreignObject|figure)| class=/);
    refute(name, svg.replace(/base64,[^"]*/g, "base64,"), /currentColor|NaN|undefined|Infinity|\[object/);
    refute(name, svg, /href="(?!data:image\/png;base64,|#)/);
  }
});

Deno.test("every figure is well-formed and draws nothing outside its sheet", () => {
  const font = { loadSystemFonts: false, fontFiles: figureFonts(), defaultFontFamily: "Arimo" };
  for (const name of Object.keys(FIGURES)) {
    const resvg = new Resvg(drawn(name), { font }); // its XML parser is a strict one
    const box = resvg.getBBox()!;
    assert.ok(
      box.x >= 0 && box.y >= 0 && box.x + box.width <= resvg.width && box.y + box.height <= resvg.height,
      `${name} draws from (${box.x}, ${box.y}) over ${box.width} × ${box.height} on ${resvg.width} × ${resvg.height}`,
    );
  }
});

Deno.test("no two figures share an identifier, so that all fit on one page", () => {
  const owners = new Map<string, string>();
  for (const name of Object.keys(FIGURES)) {
    for (const [, identifier] of drawn(name).matchAll(/ id="([^"]+)"/g)) {
      assert.equal(
        owners.get(identifier) ?? name,
        name,
        `${identifier} is in ${name} and ${owners.get(identifier)}`,
      );
      owners.set(identifier, name);
    }
  }
});
