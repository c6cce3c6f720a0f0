/** What a cell shows, in several forms; whoever shows it takes the best one it can. */
export interface Bundle {
  "text/plain": string;
  "text/markdown"?: string;
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
 * Jupyter's own `display` is not used bare, because it shows a text as a text, and an SVG without a picture beside it.
 */
export async function display(bundle: Bundle, place?: DisplayPlace): Promise<void> {
  if (!isInNotebook()) return console.log(bundle["text/plain"]);
  await Deno.jupyter.display(bundle, {
    raw: true,
    ...place && { display_id: place.id, update: place.update },
  });
}

/** A place below the running cell whose content can be replaced. */
export interface LivePlace {
  /** Shows something in place of what was there. Calls may overlap: they take effect in their order. */
  show(bundle: Bundle): Promise<void>;
}

/** Makes a {@linkcode LivePlace}; it appears with the first thing that is shown there. */
export function createLivePlace(): LivePlace {
  const id = crypto.randomUUID();
  let last: Promise<void> | undefined;
  return {
    show(bundle) {
      const update = last !== undefined;
      return last = (last ?? Promise.resolve()).then(() => display(bundle, { id, update }));
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
