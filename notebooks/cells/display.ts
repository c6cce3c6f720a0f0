/** What a cell shows, in several forms; whoever shows it takes the best one it can. */
export interface Bundle {
  /** For those who can show nothing else. */
  "text/plain": string;
  /** With TeX between dollar signs. */
  "text/markdown"?: string;
  /** A complete SVG document. */
  "image/svg+xml"?: string;
  /** Base64. */
  "image/png"?: string;
}

/** Where a bundle is shown. */
export interface DisplayPlace {
  /** Names the place, so that what is shown there can be replaced. */
  id: string;
  /** Replace what is shown there already. */
  update: boolean;
}

/**
 * Shows a bundle below the cell that runs. Outside a notebook, as when a cell's code runs as a program, its text is printed.
 *
 * @param size Of the picture in the frontend, in pixels; it may have more of its own.
 */
export async function display(bundle: Bundle, place?: DisplayPlace, size?: PictureSize): Promise<void> {
  if (!isInNotebook()) return console.log(bundle["text/plain"]);
  // not Deno.jupyter.display, which cannot say how large a picture is to be
  await Deno.jupyter.broadcast(place?.update ? "update_display_data" : "display_data", {
    data: bundle,
    metadata: size === undefined ? {} : { "image/png": { ...size } },
    transient: place === undefined ? {} : { display_id: place.id },
  });
  await new Promise((resolve) => setTimeout(resolve, MILLISECONDS_TO_SEND));
}

/**
 * The kernel hands a message on before it is sent, and "the cell is done" may overtake it (Deno 2.9, in a third of the cells that show
 * something last). Frontends drop what comes after that, so a cell must not end at once.
 */
const MILLISECONDS_TO_SEND = 50;

/** Width and height of a picture in pixels. */
export interface PictureSize {
  /** From left to right. */
  width: number;
  /** From top to bottom. */
  height: number;
}

/** A place below the running cell whose content can be replaced. */
export interface LivePlace {
  /** Shows something in place of what was there. Calls may overlap: they take effect in their order. */
  show(bundle: Bundle, size?: PictureSize): Promise<void>;
}

/** Makes a {@linkcode LivePlace}; it appears with the first thing that is shown there. */
export function createLivePlace(): LivePlace {
  const id = crypto.randomUUID();
  let last: Promise<void> | undefined;
  return {
    show(bundle, size) {
      const update = last !== undefined;
      return last = (last ?? Promise.resolve()).then(() => display(bundle, { id, update }, size));
    },
  };
}

/** Whether this program is a notebook's kernel. */
export function isInNotebook(): boolean {
  try {
    return Deno.jupyter !== undefined;
  } catch {
    return false; // outside a kernel the property throws
  }
}
