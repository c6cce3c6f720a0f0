import { unzlibSync } from "fflate";

/**
 * All that a PDF holds, with its compressed streams unpacked, as Latin-1 text.
 */
export function unpackPdf(pdf: Uint8Array): string {
  const text = new TextDecoder("latin1").decode(pdf);
  const streams = [...text.matchAll(/stream\r?\n/g)].filter(({ index }) =>
    !text.slice(0, index).endsWith("end")
  )
    .map(({ index, 0: word }) => {
      const start = index + word.length;
      return pdf.subarray(start, text.indexOf("endstream", start));
    });
  return [text, ...streams.map(inflate)].join("\n");
}

function inflate(stream: Uint8Array): string {
  try {
    return new TextDecoder("latin1").decode(unzlibSync(stream));
  } catch {
    return ""; // not compressed: it is in the text already
  }
}

/** The text of each page, by `pdftotext`; null on a machine without. */
export async function readPages(pdf: Uint8Array): Promise<string[] | null> {
  const path = await Deno.makeTempFile({ suffix: ".pdf" });
  try {
    await Deno.writeFile(path, pdf);
    const { success, stdout } = await new Deno.Command("pdftotext", { args: ["-layout", path, "-"] })
      .output();
    return success ? new TextDecoder().decode(stdout).split("\f").slice(0, -1) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  } finally {
    await Deno.remove(path);
  }
}
