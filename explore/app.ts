import { BLOCK, makeBaseline } from "../lib/analysis/deletion.ts";
import { IMAGE_SIZE } from "../lib/data/dataset.ts";
import { MAP_SIZE } from "../lib/model/spec.ts";
import { InputError } from "../lib/support/errors.ts";
import { find, showProblem } from "./elements.ts";
import type { Engine, Look } from "./engine.ts";
import { formatState, parseState, type State } from "./state.ts";

/** Where pictures come from: called for every frame. */
export interface Source {
  /** Named in the page: "example: ship", "your picture", "camera". */
  name: string;
  /** Returns bytes `[32,32,3]`; null where there is no new frame. */
  frame(milliseconds: number): Uint8Array | null;
  /** True if it changes by itself. */
  moves: boolean;
  /** Frees what it holds, such as the camera. */
  stop?(): void;
}

/** What views read: a picture and what the network makes of it. */
export interface Seen extends Look {
  /** What the network saw: bytes `[32,32,3]`, with what is hidden. */
  pixels: Uint8Array;
}

/** Milliseconds: browsers refuse to change the address a hundred times a second. */
const ADDRESS_PAUSE = 200;

/**
 * The page's model: a network, a state, a picture, and what the network makes of it. Views are functions that
 * are called after each change.
 */
export class App {
  engine: Engine;
  state: State;
  /** The picture as it is: bytes `[32,32,3]`. */
  picture: Uint8Array = new Uint8Array(IMAGE_SIZE * IMAGE_SIZE * 3);
  /** Null until the first picture has been looked at. */
  seen: Seen | null = null;
  source: Source | null = null;
  #views: ((seen: Seen) => void)[] = [];
  #networkViews: (() => void)[] = [];
  #isLooking = false;
  #isStale = false;
  #isOpen = false;
  #writing: ReturnType<typeof setTimeout> | undefined;

  constructor(engine: Engine, fragment: string) {
    this.engine = engine;
    this.state = parseState(fragment, engine.network.classNames.length);
  }

  /** Calls a function after each change of the picture or the state. */
  onChange(draw: (seen: Seen) => void): void {
    this.#views.push(draw);
  }

  /** Calls a function now and whenever the network is another one, or has other classes. */
  onNetwork(build: () => void): void {
    this.#networkViews.push(build);
    build();
  }

  /** Number of classes. */
  get classes(): number {
    return this.engine.network.classNames.length;
  }

  /** Changes the state, its address and what shows it. */
  change(part: Partial<State>): void {
    this.state = { ...this.state, ...part };
    this.#writing ??= setTimeout(() => this.writeAddress(), ADDRESS_PAUSE);
    if (part.hidden !== undefined) void this.look();
    else this.draw();
  }

  /** Writes the state into the address, as happens by itself a little after each change. */
  writeAddress(): void {
    clearTimeout(this.#writing);
    this.#writing = undefined;
    history.replaceState(null, "", `#${formatState(this.state)}`);
  }

  /** Takes over the state of an address that was typed or pasted. */
  readAddress(fragment: string): void {
    clearTimeout(this.#writing);
    this.#writing = undefined;
    this.state = parseState(fragment, this.classes);
    void this.look();
  }

  /** Shows the pictures of a source from now on, or of none. */
  show(source: Source | null): void {
    this.source?.stop?.();
    this.source = source;
    const picture = source?.frame(performance.now()) ?? null;
    if (picture !== null) this.picture = picture;
    void this.look();
  }

  /** Takes another network, which it owns from now on. */
  open(engine: Engine): void {
    this.engine.close();
    this.engine = engine;
    this.refresh();
  }

  /** Builds all views anew: the network has other classes. */
  refresh(): void {
    this.state = parseState(formatState(this.state), this.classes);
    this.seen = null;
    for (const build of this.#networkViews) build();
    void this.look();
  }

  /** Lets a moving source run: one picture per frame of the screen, as fast as the network can. */
  run(): void {
    const step = async (milliseconds: number) => {
      if (this.source?.moves) {
        const picture = this.source.frame(milliseconds);
        if (picture !== null) {
          this.picture = picture;
          await this.look();
        }
      }
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** Looks at the picture and draws; a picture that comes meanwhile is looked at afterwards. */
  async look(): Promise<void> {
    this.#isStale = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    find("overview").setAttribute("data-busy", "true");
    try {
      while (this.#isStale) await this.#lookOnce();
      this.draw();
      if (!this.#isOpen) performance.mark("first maps");
      this.#isOpen = true;
    } catch (error) {
      report(error);
    } finally {
      this.#isLooking = false;
      find("overview").setAttribute("data-busy", "false");
    }
  }

  async #lookOnce(): Promise<void> {
    this.#isStale = false;
    const { engine } = this;
    const pixels = hideCells(this.picture, this.state.hidden);
    try {
      const look = await engine.look(pixels);
      // meanwhile another network was opened, or a class was taught
      if (engine !== this.engine || look.scores.length !== this.classes) this.#isStale = true;
      else this.seen = { ...look, pixels };
    } catch (error) {
      if (engine === this.engine) throw error;
      this.#isStale = true; // the network was closed while it computed
    }
  }

  /** Draws all views. */
  draw(): void {
    if (this.seen === null) return;
    for (const draw of this.#views) draw(this.seen);
  }
}

/** Tells the reader what went wrong: of their input the sentence, of the page a request to report it. */
export function report(error: unknown): void {
  if (error instanceof InputError) {
    const advice = error.next.flatMap((step) => "advice" in step ? [step.advice] : []);
    showProblem(error.message + (advice.length === 0 ? "" : ` To go on, ${advice.join(", or ")}.`));
    return;
  }
  showProblem(`Something in this page is broken: ${error instanceof Error ? error.message : error}`);
  console.error(error);
}

/** Runs what a reader has asked for, and reports what goes wrong. */
export async function attempt(work: () => Promise<void> | void): Promise<void> {
  try {
    await work();
  } catch (error) {
    report(error);
  }
}

/** Paints the picture's own mean colour over some of its cells, as lib/analysis/deletion.ts does. */
export function hideCells(picture: Uint8Array, hidden: Uint8Array): Uint8Array {
  const pixels = picture.slice();
  if (!hidden.includes(1)) return pixels; // nearly always, with a camera
  const mean = makeBaseline(Float32Array.from(picture)).subarray(0, 3).map(Math.round);
  for (let pixel = 0; pixel < IMAGE_SIZE ** 2; pixel++) {
    const [row, column] = [Math.floor(pixel / IMAGE_SIZE), pixel % IMAGE_SIZE];
    const cell = Math.floor(row / BLOCK) * MAP_SIZE + Math.floor(column / BLOCK);
    if (hidden[cell]) pixels.set(mean, 3 * pixel);
  }
  return pixels;
}
