import assert from "node:assert/strict";
import { writeDemoPage } from "../../lib/export/demo_page.ts";

Deno.test("names in a demo page are literal text", () => {
  const hostile = '</title></h1><script>alert(1)</script><img onerror="x"> ]]> &lt;';
  const page = writeDemoPage({ title: hostile, note: hostile, classNames: ["cat"] });
  assert.equal(
    page.match(/<script/g)?.length,
    writeDemoPage({ title: "", note: "", classNames: ["cat"] }).match(/<script/g)?.length,
  );
  assert.doesNotMatch(page, /<img/);
  assert.equal(page.split("&lt;/title>&lt;/h1>&lt;script>alert(1)").length - 1, 3);
});
