import { InputError } from "../lib/support/errors.ts";
import { type App, attempt, type Source } from "./app.ts";
import { paintPixels, smallCanvas } from "./canvas.ts";
import { listDropped } from "./dropped_files.ts";
import { announce, find, make, setText, showProblem } from "./elements.ts";
import { exampleName, EXAMPLES, exampleSource } from "./examples.ts";
import { decodePicture, preparePixels } from "./prepare.ts";

/** Name of the camera as a source. */
export const CAMERA_NAME = "the camera";
/** A camera's frame is drawn this large before it is resized: it need not be exact, but quick. */
const CAMERA_SIZE = 128;

/** What is done with files that are no single picture. */
export interface FileHandlers {
  openNetwork(file: File): Promise<void>;
  /** Collects pictures of a class to be taught. */
  collect(files: readonly File[]): Promise<void>;
}

/** Connects all that pictures come from: examples, files, drag and drop, the clipboard and the camera. */
export function connectSources(app: App, { openNetwork, collect }: FileHandlers): void {
  const show = (source: Source) => {
    showProblem("");
    app.show(source);
    drawName();
  };
  const drawName = () => {
    const { source, state: { example } } = app;
    setText(find("source"), source?.name ?? "");
    for (const [number, button] of [...find("examples").children].entries()) {
      button.setAttribute("aria-pressed", String(source?.name === exampleName(number) && number === example));
    }
    find("camera").setAttribute("aria-pressed", String(source?.name === CAMERA_NAME));
    find<HTMLButtonElement>("shoot").hidden = source?.name !== CAMERA_NAME;
    find<HTMLButtonElement>("move").hidden = source?.name !== exampleName(example);
    setText(find("move"), source?.moves ? "Stop" : "Move");
  };
  const showExample = (example: number, moves: boolean) => {
    if (example !== app.state.example) app.change({ example });
    show(exampleSource(example, moves));
  };
  const take = async (files: readonly File[]) => {
    const [file] = files;
    if (files.length > 1) {
      app.change({ panel: "teach" });
      return await collect(files);
    }
    if (/\.safetensors$/i.test(file.name)) return await openNetwork(file);
    await attempt(async () => {
      show(await readPicture(file));
      announce(`Looking at ${file.name}.`);
    });
  };

  find("examples").append(...EXAMPLES.map(({ name }, number) => {
    const canvas = smallCanvas();
    paintPixels(canvas, exampleSource(number, false).frame(0)!);
    const button = make("button", { type: "button", title: name, "aria-label": `Drawing: ${name}` }, canvas);
    button.addEventListener("click", () => showExample(number, false));
    return button;
  }));
  find("move").addEventListener("click", () => showExample(app.state.example, !app.source?.moves));
  connectFiles(take);
  find("camera").addEventListener("click", () =>
    attempt(async () => {
      if (app.source?.name === CAMERA_NAME) return freeze(app, drawName);
      show(await openCamera());
      announce("The camera is on. Its pictures stay in this page.");
    }));
  find("shoot").addEventListener("click", () => freeze(app, drawName));
  globalThis.addEventListener("hashchange", () => {
    const before = app.state.example;
    app.readAddress(location.hash);
    if (app.state.example !== before) show(exampleSource(app.state.example, false));
  });
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  show(exampleSource(app.state.example, !isStill));
}

/** Reads a picture file. @throws {InputError} If it is none. */
export async function readPicture(file: File): Promise<Source> {
  const bitmap = await decodePicture(file, file.name || "the picture");
  const pixels = preparePixels(bitmap, bitmap);
  bitmap.close();
  return { name: file.name || "your picture", moves: false, frame: () => pixels };
}

/** Takes files that are chosen, dropped or pasted anywhere on the page. */
function connectFiles(take: (files: readonly File[]) => Promise<void>): void {
  const input = find<HTMLInputElement>("file");
  find("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const files = [...input.files!];
    input.value = "";
    if (files.length > 0) void take(files);
  });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData?.files ?? []];
    if (files.length === 0) return;
    event.preventDefault();
    void take(files);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) document.body.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    void attempt(async () => {
      const files = await listDropped(event.dataTransfer!);
      if (files.length > 0) return await take(files);
      throw new InputError({
        what: "use what was dropped",
        why: "there is no file in it",
        next: [{ advice: "drop a picture's file, or a network's" }],
      });
    });
  });
}

/**
 * Turns the camera on.
 *
 * @throws {InputError} If there is none, or it may not be used.
 */
export async function openCamera(): Promise<Source> {
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment", width: 320, height: 240 },
    });
  } catch (cause) {
    const isRefused = cause instanceof DOMException && cause.name === "NotAllowedError";
    throw new InputError({
      what: "use a camera",
      why: isRefused ? "this page may not" : "there is none that answers",
      next: [{ advice: isRefused ? "allow it in the browser's address bar" : "connect one" }],
    }, { cause });
  }
  const video = make("video", { playsinline: "" });
  video.muted = true;
  video.srcObject = stream;
  await video.play();
  let time = -1;
  return {
    name: CAMERA_NAME,
    moves: true,
    frame() {
      if (video.currentTime === time) return null;
      time = video.currentTime;
      return preparePixels(video, { width: CAMERA_SIZE, height: CAMERA_SIZE });
    },
    stop: () => stream.getTracks().forEach((track) => track.stop()),
  };
}

/** Keeps the camera's last picture and turns it off. */
function freeze(app: App, drawName: () => void): void {
  const pixels = app.picture;
  app.show({ name: "your photo", moves: false, frame: () => pixels });
  drawName();
}
