import { FEWEST_PICTURES } from "../lib/analysis/teach.ts";
import { CLASS_NAME } from "../lib/data/dataset.ts";
import { InputError } from "../lib/support/errors.ts";
import { formatNumber } from "../lib/support/format.ts";
import { type App, attempt } from "./app.ts";
import { paintPixels, smallCanvas } from "./canvas.ts";
import { announce, find, make, setText } from "./elements.ts";
import { saveFile } from "./share.ts";
import { CAMERA_NAME, readPicture } from "./sources.ts";
import { formatTaughtClass, identifyNetwork, parseTaughtClass } from "./taught_class.ts";

/** Most pictures of a class. */
const MOST = 50;
/** Milliseconds between two pictures of the camera: quick ones would be all the same. */
const CAMERA_PAUSE = 250;

/**
 * Lets the reader collect pictures of a class and teach the network that class.
 *
 * @returns Function that collects pictures.
 */
export function connectTeach(app: App): (files: readonly File[]) => Promise<void> {
  const name = find<HTMLInputElement>("class-name");
  const pictures: Uint8Array[] = [];
  const progress = find<HTMLProgressElement>("teach-progress");
  let isTeaching = false;

  const drawPictures = () => {
    find("class-pictures").replaceChildren(...pictures.map((pixels) => {
      const canvas = smallCanvas();
      paintPixels(canvas, pixels);
      return canvas;
    }));
    const missing = FEWEST_PICTURES - pictures.length;
    setText(
      find("class-count"),
      `${pictures.length} of at most ${MOST} pictures` +
        (missing > 0 ? `; ${missing} more ${missing === 1 ? "is" : "are"} needed.` : "."),
    );
    find<HTMLButtonElement>("teach").disabled = missing > 0 || isTeaching;
    find<HTMLButtonElement>("no-pictures").disabled = pictures.length === 0;
  };
  const collect = (pixels: Uint8Array) => {
    if (pictures.length < MOST) pictures.push(pixels.slice());
    drawPictures();
  };
  const readFiles = async (files: readonly File[]) => {
    for (const file of filesThatArePictures(files)) {
      if (pictures.length >= MOST) break;
      await attempt(async () => collect((await readPicture(file)).frame(0)!));
    }
    announce(`${pictures.length} pictures are collected.`);
  };

  connectFileButton("class-files", "add-files", (files) => void readFiles(files));
  connectFileButton("class-folder", "add-folder", (files) => void readFiles(files));
  connectFileButton("class-json", "load-class", (files) =>
    void attempt(async () => {
      const [file] = files;
      const network = identifyNetwork(app.engine.filters);
      const { name, numbers } = parseTaughtClass(await file.text(), network, file.name);
      app.engine.add(name, numbers);
      app.refresh();
      setText(find("teach-result"), `The class ${name} is loaded, and competes with the others.`);
    }));
  connectShutter(find("shutter"), () => collect(app.picture));
  find("no-pictures").addEventListener("click", () => {
    pictures.length = 0;
    drawPictures();
  });
  find("teach-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(async () => {
      const className = checkName(name.value);
      isTeaching = true;
      drawPictures();
      progress.hidden = false;
      try {
        const taught = await app.engine.teach(className, pictures, (done) => progress.value = done);
        pictures.length = 0;
        name.value = "";
        app.refresh();
        setText(find("teach-result"), describeTaught(className, taught));
      } finally {
        isTeaching = false;
        progress.hidden = true;
        drawPictures();
      }
    });
  });

  app.onNetwork(() =>
    find("taught").replaceChildren(...app.engine.taught.map((name) => createTaught(app, name)))
  );
  app.onChange(() => {
    const isCamera = app.source?.name === CAMERA_NAME;
    setText(find("shutter"), isCamera ? "Hold to take pictures" : "Take the picture above");
  });
  drawPictures();
  return readFiles;
}

/** Checks a class's name. @throws {InputError} If it cannot stand in tables and files. */
function checkName(text: string): string {
  const name = text.trim();
  if (CLASS_NAME.test(name)) return name;
  throw new InputError({
    what: "teach a class of that name",
    why: name === ""
      ? "it has none yet"
      : "a name has at most 40 letters, digits, spaces, dots, dashes and underscores",
    next: [{ advice: "write another one" }],
  });
}

function describeTaught(
  name: string,
  { heldOut, recognised, seconds }: { heldOut: number; recognised: number; seconds: number },
): string {
  const time = `${name} was learned in ${formatNumber(seconds, 1)} s. `;
  return time +
    (heldOut === 0
      ? "There were too few pictures to hold some out: with ten or more, a fifth is kept for a test."
      : `Of ${heldOut} pictures that were held out it recognises ${recognised}` +
        (heldOut < 10 ? ": so few say little of how often it is right." : "."));
}

/** Creates the line of a class that was taught: its name, and what one can do with it. */
function createTaught(app: App, name: string): HTMLElement {
  const save = make("button", { type: "button" }, `Save ${name}`);
  save.addEventListener("click", () => {
    const { embeddings, filters, network: { classNames } } = app.engine;
    const rows = embeddings ?? filters;
    const length = rows.length / classNames.length;
    const label = classNames.indexOf(name);
    const numbers = rows.subarray(label * length, (label + 1) * length);
    const text = formatTaughtClass({ name, network: identifyNetwork(filters), numbers });
    saveFile(`${name}.json`, new Blob([text], { type: "application/json" }));
  });
  const forget = make("button", { type: "button" }, `Forget ${name}`);
  forget.addEventListener("click", () =>
    attempt(() => {
      app.engine.forget(name);
      app.refresh();
      setText(find("teach-result"), `The class ${name} is forgotten.`);
    }));
  return make("li", {}, save, forget);
}

/** Opens the file chooser of a hidden input by a button. */
function connectFileButton(input: string, button: string, take: (files: File[]) => void): void {
  const chooser = find<HTMLInputElement>(input);
  find(button).addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    const files = [...chooser.files!];
    chooser.value = "";
    if (files.length > 0) take(files);
  });
}

/** A folder may hold other things, too. */
function filesThatArePictures(files: readonly File[]): File[] {
  const pictures = files.filter(({ type }) => type.startsWith("image/"));
  return pictures.sort((one, other) => one.name.localeCompare(other.name));
}

/** Takes a picture when the button is pressed, and more while it is held. */
function connectShutter(button: HTMLElement, take: () => void): void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = () => clearInterval(timer);
  button.addEventListener("pointerdown", () => {
    stop();
    timer = setInterval(take, CAMERA_PAUSE);
  });
  for (const event of ["pointerup", "pointerleave", "pointercancel"]) button.addEventListener(event, stop);
  button.addEventListener("click", take);
}
