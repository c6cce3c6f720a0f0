import { dirname, join } from "@std/path";
import { requireTeachable, type TaughtNetwork, teachClass } from "../lib/analysis/teach.ts";
import { CLASS_NAME } from "../lib/data/dataset.ts";
import { findPictures } from "../lib/prediction/find_pictures.ts";
import { preparePicture } from "../lib/prediction/prepare_picture.ts";
import { exists } from "../lib/support/files.ts";
import { formatCount, formatPercent } from "../lib/support/format.ts";
import { text } from "../lib/support/schema.ts";
import { wilsonInterval } from "../lib/support/statistics.ts";
import { makeFolder } from "../lib/support/write_files.ts";
import { useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import { type Checkpoint, formatCheckpoint, openCheckpoint } from "../lib/training/checkpoint.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { defaultRunsFolder, findCheckpoint } from "../lib/training/run_folder.ts";
import { runCommand } from "./shared/command.ts";
import { loadDatasetsWithBar, setUpTensorFlow } from "./shared/load.ts";
import { type Command, type CommandLine, JSON_OPTION } from "./shared/options.ts";
import { FORCE_OPTION, requireOutputs, writeOutputs } from "./shared/outputs.ts";
import { wrapText } from "./shared/table.ts";
import { print, showPath } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task teach",
  summary:
    "Teaches a trained network one class more from pictures of it: only its embedding is learned, and the scores of " +
    "the other classes stay as they are.",
  positionals: {
    name: "RUN|FILE FOLDER",
    help: "a run, whose best epoch is used, or a checkpoint file; and a folder of pictures of the new class",
    from: 2,
    to: 2,
  },
  options: {
    name: {
      schema: text(CLASS_NAME, "a name of at most 40 letters, digits, spaces, dots, dashes and underscores"),
      isRequired: true,
      group: "Class",
      help: "name of the new class",
      value: "NAME",
    },
    data: {
      ...TRAINING_OPTIONS.data,
      group: "Class",
      help: "images of the known classes, to tell the new one from",
    },
    device: TRAINING_OPTIONS.device,
    run: {
      schema: TRAINING_OPTIONS.run.schema.nullable(),
      defaultText: "the old one's with the class",
      group: "Output",
      help: "run name of the new network; its folder is checkpoints/NAME",
      value: "NAME",
    },
    force: FORCE_OPTION,
    json: JSON_OPTION,
  },
  examples: [
    ["deno task teach dynamic mugs/ --name mug", "a run dynamic-mug, for predict, evaluate and export"],
    ["deno task teach dynamic mugs/ --name mug --run kitchen", "the same, as the run kitchen"],
  ],
} satisfies Command;

async function main({ values, positionals: [from, folder] }: CommandLine<typeof COMMAND>): Promise<void> {
  const { name, device, force } = values;
  const checkpoint = await openCheckpoint(findCheckpoint(from, "best"));
  requireTeachable(checkpoint, name);
  const run = values.run ?? nameRun(checkpoint, name);
  const path = join(defaultRunsFolder(), run, "best.safetensors");
  const output = { origin: "a network that was taught a class", force };
  if (exists(dirname(path))) requireOutputs([path], output);
  const pictures: Uint8Array[] = [];
  for (const { label, read } of findPictures(folder)) {
    const { views: [view] } = await preparePicture(await read(), { label, views: ["stretch"] });
    pictures.push(view.pixels);
  }
  await setUpTensorFlow({ device });
  await useNativeTensorFlow({ device });
  const datasets = await loadDatasetsWithBar(values.data);
  const taught = await teachClass(checkpoint, pictures, datasets);
  const { best, ...progress } = checkpoint.progress;
  const learnedFrom = `${name} (${taught.pictures} pictures)`;
  const bytes = formatCheckpoint({
    config: { ...checkpoint.config, run },
    recorded: { ...checkpoint.recorded, data: `${checkpoint.recorded.data} + ${learnedFrom}` },
    // temperature and threshold were fitted for the old classes
    progress: { ...progress, best: best && { epoch: best.epoch, accuracy: best.accuracy } },
    classNames: [...checkpoint.classNames, name],
    network: taught.network,
    slots: null,
  });
  makeFolder(dirname(path));
  writeOutputs([{ path, bytes }], output);
  const { network: _, ...facts } = taught;
  const data = datasets.train.name;
  print(
    values.json
      ? JSON.stringify({ name, run, checkpoint: path, data, ...facts })
      : wrapText(describe(taught, { name, run, path, data, checkpoint })),
  );
}

/** Names the run after the old one and the class: `dynamic-coffee-mug`. */
function nameRun({ config, classNames }: Checkpoint, name: string): string {
  const word = name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(
    /^-|-$/g,
    "",
  );
  return `${config.run}-${word || `class-${classNames.length + 1}`}`;
}

function describe(
  { kind, numbers, pictures, heldOut, known, missing }: TaughtNetwork,
  { name, run, path, data, checkpoint }: {
    name: string;
    run: string;
    path: string;
    data: string;
    checkpoint: Checkpoint;
  },
): string {
  const share = (count: number, total: number) => {
    const [low, high] = wilsonInterval(count, total).map((end) => (100 * end).toFixed(1));
    return `${formatPercent(count / total)} [${low}, ${high}]`;
  };
  const classes = checkpoint.classNames.length;
  return [
    `Learned ${name} as ${kind === "embedding" ? "an embedding" : "a filter"} of ${numbers} numbers from ` +
    `${pictures} pictures, and from training images of the known classes (${data}).`,
    heldOut.images === 0
      ? `No picture was held out, so nothing is known of how sure it is: give more than ${pictures}.`
      : `Held-out pictures of ${name} that are recognised: ${heldOut.recognised} of ${heldOut.images}, ` +
        `${share(heldOut.recognised, heldOut.images)} (95 % interval).`,
    `Test images of the known classes: ${share(known.after, known.images)} right, ${
      formatPercent(known.before / known.images)
    } before; ${share(known.taken, known.images)} are taken for ${name} (n = ${formatCount(known.images)}).`,
    ...missing.length === 0
      ? []
      : [`No images here of ${missing.join(", ")}: the network did not learn to tell ${name} from that.`],
    `The scores of the ${classes} other classes are the same as before, bit for bit.`,
    `Run ${run} (${showPath(path)}) has ${classes + 1} classes.`,
  ].join("\n");
}

if (import.meta.main) await runCommand(COMMAND, main);
