// hiding parts of the picture, in a real browser, and what the page claims of it
import assert from "node:assert/strict";
import { hideCells } from "../../explore/app.ts";
import { hideFirst } from "../../explore/deletion_view.ts";
import { makeBaseline } from "../../lib/analysis/deletion.ts";
import { readText } from "../../lib/support/files.ts";
import { mean } from "../../lib/support/statistics.ts";
import { findViolations, readFragment, startExplorer, textOf, waitForText } from "./open_page.ts";
import { LACKS_CHROMIUM } from "../browser/chromium.ts";

Deno.test("hidden cells have the picture's mean colour, the others are as they were", () => {
  const picture = Uint8Array.from({ length: 3072 }, (_, at) => at * 31 % 256);
  const hidden = new Uint8Array(64);
  hidden[9] = 1; // second row, second column
  const seen = hideCells(picture, hidden);
  const baseline = makeBaseline(Float32Array.from(picture));
  seen.forEach((value, at) => {
    const [row, column] = [Math.floor(at / 96), Math.floor(at / 3) % 32];
    const isHidden = row >= 4 && row < 8 && column >= 4 && column < 8;
    assert.equal(value, isHidden ? Math.round(baseline[at]) : picture[at]);
  });
  assert.deepEqual(hideFirst(picture, [9, 10], 1), seen);
});

Deno.test("parts are hidden by keyboard and by pointer, and piece by piece in two orders", {
  ignore: LACKS_CHROMIUM,
}, async () => {
  await using explorer = await startExplorer();
  await using opened = await explorer.open({ fragment: "#panel=hide&example=6" });
  const { page } = opened;
  await waitForText(page, "#hide-result", /^Nothing is hidden: horse/);
  await page.focus("#easel");
  for (const key of ["Space", "ArrowRight", "Space", "ArrowDown", "Space"] as const) {
    await page.keyboard.press(key);
  }
  await waitForText(page, "#hide-result", /^3 of 64 parts are hidden: horse from \d+\s% to \d+\s%/);
  assert.equal(await textOf(page, "#announcement"), "Row 5, column 5: hidden.");
  assert.match(await readFragment(page), /hidden=0000001808000000$/);
  assert.deepEqual(await findViolations(page), []);

  await page.evaluate("document.getElementById('easel').scrollIntoView({ block: 'center' })");
  const box = (await (await page.$("#easel"))!.boundingBox())!;
  const at = (column: number) => box.x + (column + 0.5) * box.width / 8;
  await page.mouse.move(at(1), box.y + box.height / 16);
  await page.mouse.down();
  await page.mouse.move(at(6), box.y + box.height / 16, { steps: 12 });
  await page.mouse.up();
  await waitForText(page, "#hide-result", /^9 of 64/);
  await page.click("#show-all");
  await waitForText(page, "#hide-result", /^Nothing is hidden/);

  await page.click("#delete");
  const result = await waitForText(page, "#deletion-result", /outwards/);
  assert.match(
    result,
    /^Mean probability of horse on the way: 0\.\d\d by evidence, 0\.\d\d from the middle outwards\.$/,
  );
  for (const line of ["evidence-line", "fixed-line"]) {
    const points = await page.$eval(`#${line}`, (line) => line.getAttribute("points")!.split(" "));
    assert.equal(points.length, 33);
    assert.ok(
      Number(points[0].split(",")[1]) < 15 && Number(points[32].split(",")[1]) > 75,
      points.join(" "),
    );
  }
  assert.deepEqual(opened.troubles, []);
});

Deno.test("the page's claim holds: an order that never saw the picture did about as well as the evidence", () => {
  const { rows } = JSON.parse(readText("notebooks/results/faithful.json")) as {
    rows: { method: string; network: string; deletion: number; insertion: number }[];
  };
  const of = (method: string, curve: "deletion" | "insertion") =>
    mean(rows.filter((row) => row.method === method && row.network === "dynamic").map((row) => row[curve]));
  for (const curve of ["deletion", "insertion"] as const) {
    const difference = Math.abs(of("evidence", curve) - of("centre", curve));
    const chance = Math.abs(of("random", curve) - of("centre", curve));
    assert.ok(difference < 0.15 * chance, `${curve}: ${difference} beside ${chance}`); // random order
  }
});
