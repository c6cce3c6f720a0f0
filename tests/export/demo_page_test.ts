import assert from "node:assert/strict";
import { writeDemoPage } from "../../lib/export/demo_page.ts";

Deno.test("names in a demo page are literal text", () => {
  const hostile = '</title></h1><script>alert(1)</script><img onerror="x"> ]]> &lt;';
  const page = writeDemoPage({ title: hostile, note: hostile, classNames: ["cat"], temperature: 1 });
  assert.equal(
    page.match(/<script/g)?.length,
    writeDemoPage({ title: "", note: "", classNames: ["cat"], temperature: 1 }).match(/<script/g)?.length,
  );
  assert.doesNotMatch(page, /<img/);
  assert.equal(page.split("&lt;/title>&lt;/h1>&lt;script>alert(1)").length - 1, 3);
});

Deno.test("a demo page calibrates, and prepares pictures as predict does", () => {
  const page = writeDemoPage({ title: "", note: "", classNames: ["cat"], temperature: 1.25 });
  assert.ok(page.includes("tf.softmax(tf.div(scores, 1.25))"));
  assert.ok(page.includes('"rgb(125,123,114)"'));
  const [, script] = /<script type="module">([^]*)<\/script>/.exec(page)!;
  new Function(`return async () => {${script}}`); // it is JavaScript
});
