import { type Section, sectionLabel } from "./section.ts";
import { block, toTypst } from "./typst.ts";

/** A task or question of the lab. */
interface LabTask {
  /** Tag of the cells that answer it: `lab-`, the section in the lab's text, a name. */
  tag: string;
  asks: string;
  /** The notebook that answers it, where no cell has the tag. */
  notebook: number;
  /** Files of its code. */
  code: readonly string[];
}

/** Every task and question of the lab, in the lab's order. */
export const LAB_TASKS: readonly LabTask[] = [
  task(
    "lab-2.1-init",
    1,
    "The network's parts: backbone, embeddings, weights generator, score predictor",
    "lib/model/create_network.ts",
    "lib/model/backbone.ts",
  ),
  task(
    "lab-2.1-forward",
    1,
    "Forward pass: feature map, generated filters, response maps, scores",
    "lib/model/network.ts",
    "lib/model/filters.ts",
    "lib/model/dynamic_convolution.ts",
  ),
  task(
    "lab-2.2-save",
    2,
    "Training, and saving the model when it improves",
    "lib/training/train.ts",
    "lib/training/checkpoint.ts",
  ),
  task(
    "lab-2.2-resume",
    2,
    "Loading a model and resuming its training",
    "lib/training/start_training.ts",
    "lib/training/checkpoint.ts",
  ),
  task(
    "lab-2.3-statistics",
    2,
    "Statistics of the training: loss and accuracy",
    "lib/training/evaluate.ts",
    "lib/figures/training_curves.ts",
  ),
  task(
    "lab-2.3-comparison",
    3,
    "Comparison with the same network without the dynamic mechanism",
    "lib/experiments/comparison.ts",
    "lib/model/filters.ts",
  ),
  task(
    "lab-3.1-visualisation",
    5,
    "Response maps of a correctly classified test image",
    "lib/figures/response_maps.ts",
  ),
  task(
    "lab-3.1-usage",
    5,
    "Uses of the response maps",
    "lib/analysis/deletion.ts",
    "lib/analysis/pointing.ts",
  ),
  task(
    "lab-3.2-frozen",
    4,
    "What happens with a frozen backbone, why, and remedies",
    "lib/model/backbone.ts",
    "lib/analysis/drift.ts",
  ),
  task("lab-3.2-advantages", 5, "At least two advantages of dynamic filters"),
  task("lab-3.2-downsides", 5, "At least two downsides of dynamic filters"),
];

function task(tag: string, notebook: number, asks: string, ...code: string[]): LabTask {
  return { tag, notebook, asks, code };
}

/** Writes the page that tells a marker where each task is answered: section, page, cell, code. */
export function writeMarkerPage(sections: readonly Section[]): string {
  const rows = LAB_TASKS.map((task) => {
    const { places, cells } = findAnswer(task, sections);
    const code = task.code.map((path) => `#raw(${toTypst(path)})`).join(" #linebreak() ");
    return `([${task.tag.split("-")[1]}], [#${toTypst(task.asks)}], [${places}], [${cells}], [${code}]),`;
  });
  return block(`#heading(numbering: none, level: 1)[For the marker]
Where each task and question of the lab is answered. Cell 02:8 is the eighth of the notebook that begins with 02, Markdown cells included. The code itself is printed on page #context counter(page).at(<code>).first().
#task-table(
${rows.join("\n")}
)`);
}

function findAnswer({ tag, notebook }: LabTask, sections: readonly Section[]) {
  const answers = sections.flatMap(({ name, answers }) =>
    (answers.get(tag) ?? []).map((answer) => ({ name, ...answer }))
  );
  if (answers.length > 0) {
    // several cells below one heading are one place
    const places = [...Map.groupBy(answers, ({ name, heading }) => `${name} ${heading}`).values()];
    return {
      places: places.map(([{ label }]) => `#whereabouts(<${label}>)`).join(" #linebreak() "),
      cells: places.map((same) => `${same[0].name.slice(0, 2)}:${same.map(({ cell }) => cell).join(", ")}`)
        .join(" #linebreak() "),
    };
  }
  const section = sections.find(({ number }) => number === notebook);
  return section === undefined
    ? { places: "not in this report", cells: "" }
    : { places: `#whereabouts(<${sectionLabel(notebook)}>)`, cells: section.name.slice(0, 2) };
}
