import { readFunctions } from "./code_excerpt.ts";
import { block, toTypst } from "./markup.ts";
import { sectionLabel } from "./prose.ts";
import type { Section } from "./section.ts";
import { LAB_TASKS, type LabTask } from "./tasks.ts";

/** The page that tells a marker where each task and question of the lab is answered: section, page, notebook, code. */
export function writeMarkerPage(sections: readonly Section[]): string {
  const rows = LAB_TASKS.map((task) => {
    const { places, cells } = findAnswer(task, sections);
    const code = task.code.map((path) => `#raw(${toTypst(path)})`).join(" #linebreak() ");
    return `([${task.number}], [#${toTypst(task.asks)}], [${places}], [${cells}], [${code}]),`;
  });
  return block(`#pagebreak(weak: true)
#heading(numbering: none, level: 1)[For the marker]
Where each task and question of the lab is answered. A cell 02:8 is the eighth of the notebook that begins with 02, prose included.
#task-table(
${rows.join("\n")}
)`);
}

/** The forward pass in code: what the notebooks call. */
export function writeForwardPass(): string {
  const source = [
    readFunctions("lib/model/filters.ts", ["generateFilters"]),
    readFunctions("lib/model/dynamic_convolution.ts", ["responseMaps"]),
    readFunctions("lib/model/network.ts", ["forward"]),
  ].join("\n\n");
  return `${
    block("#plain-heading[The forward pass in code]")
  }From \`filters.ts\`, \`dynamic_convolution.ts\` and \`network.ts\` of ` +
    `\`lib/model\`, without their comments; the zip holds all code.${block(`#listing(${toTypst(source)})`)}`;
}

function findAnswer(
  { tag, notebook }: LabTask,
  sections: readonly Section[],
): Record<"places" | "cells", string> {
  const found = sections.flatMap(({ name, answers }) =>
    (answers.get(tag) ?? []).map((place) => ({ name, ...place }))
  );
  if (found.length > 0) {
    // several cells below one heading are one place
    const places = [...Map.groupBy(found, ({ name, heading }) => `${name} ${heading}`).values()];
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
