import { MEAN_COLOUR } from "../data/normalise.ts";
import { INPUT, MAPS, SCORES, SIZE } from "./fold_network.ts";

const TFJS = "https://cdn.jsdelivr.net/npm/@tensorflow/tfjs@4.22.0/dist/tf.min.js";

/**
 * Writes a demo page: choose a picture, see the classes' probabilities and response maps, bright where they
 * are high. It is served from the model's folder.
 *
 * @param classNames Names of the classes.
 * @param note Text below, with the model's training data.
 * @param temperature Divisor of the scores, for calibrated probabilities.
 */
export function writeDemoPage(
  { title, note, classNames, temperature }: {
    title: string;
    note: string;
    classNames: readonly string[];
    temperature: number;
  },
): string {
  const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 30rem; margin: 2rem auto; padding: 0 1rem; }
  canvas { width: 128px; image-rendering: pixelated; display: block; margin: 1rem 0; background: #ddd; }
  td canvas { width: 2rem; margin: 0; }
  meter { width: 12rem; }
  small { color: #555; }
</style>
<h1>${escape(title)}</h1>
<input type="file" id="file" accept="image/*" aria-label="picture">
<canvas id="canvas" width="${SIZE}" height="${SIZE}"></canvas>
<table id="table"></table>
<p><small>${escape(note)}</small></p>
<script src="${TFJS}"></script>
<script type="module">
  const classes = ${JSON.stringify(classNames)};
  const model = await tf.loadGraphModel("model.json");
  const context = canvas.getContext("2d", { willReadFrequently: true });

  function show(probabilities) {
    table.innerHTML = classes.map((name, label) => {
      const probability = probabilities[label];
      return \`<tr><th align="left">\${name}<td><meter value="\${probability}"></meter><td align="right">\${(100 * probability).toFixed(1)} %<td><canvas></canvas>\`;
    }).join("");
  }

  // stretched to ${SIZE}×${SIZE} by repeated halving, so that no pixel is skipped
  function draw(picture) {
    const halve = (side) => side > ${2 * SIZE} ? side / 2 : side;
    let source = picture;
    while (Math.max(source.width, source.height) > ${2 * SIZE}) {
      const half = new OffscreenCanvas(halve(source.width), halve(source.height));
      half.getContext("2d").drawImage(source, 0, 0, half.width, half.height);
      source = half;
    }
    context.fillStyle = "rgb(${MEAN_COLOUR})"; // behind transparent parts
    context.fillRect(0, 0, ${SIZE}, ${SIZE});
    context.drawImage(source, 0, 0, ${SIZE}, ${SIZE});
  }

  async function predict() {
    const [probabilities, ...maps] = tf.tidy(() => {
      const images = tf.expandDims(tf.cast(tf.browser.fromPixels(canvas), "float32")); // [1,32,32,3], 0–255
      const [scores, maps] = model.execute({ ${INPUT}: images }, ["${SCORES}", "${MAPS}"]);
      const low = tf.min(maps); // of all classes: one scale
      const shades = tf.divNoNan(tf.sub(maps, low), tf.sub(tf.max(maps), low));
      return [tf.softmax(tf.div(scores, ${temperature})), ...tf.unstack(tf.squeeze(shades, [0]))]; // [1,K], and [8,8] each, 0–1
    });
    show(await probabilities.data());
    for (const [label, row] of [...table.rows].entries()) { // all classes may share a map
      await tf.browser.toPixels(maps[label % maps.length], row.querySelector("canvas"));
    }
    tf.dispose([probabilities, ...maps]);
  }

  file.onchange = async () => {
    draw(await createImageBitmap(file.files[0]));
    await predict();
  };
  show(classes.map(() => 0));
</script>
</html>
`;
}
