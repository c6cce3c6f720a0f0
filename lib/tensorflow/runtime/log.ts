import { join } from "node:path";

const STDERR = 2;
const WRITE_ONLY = 1; // O_WRONLY

/**
 * Loads TensorFlow's library without its two lines on standard error, which say that oneDNN is in use. Static
 * initialisers write them before any log level can be set, so standard error is discarded meanwhile.
 *
 * @param libraryFolder Folder of `libtensorflow_framework.so.2`.
 */
export function loadQuietly(libraryFolder: string): void {
  const library = Deno.dlopen("libc.so.6", {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    dup: { parameters: ["i32"], result: "i32" },
    dup2: { parameters: ["i32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const libc = library.symbols;
  const kept = libc.dup(STDERR);
  const nowhere = libc.open(new TextEncoder().encode("/dev/null\0"), WRITE_ONLY);
  libc.dup2(nowhere, STDERR);
  try {
    Deno.dlopen(join(libraryFolder, "libtensorflow_framework.so.2"), {}); // stays loaded for the addon
  } finally {
    libc.dup2(kept, STDERR);
    libc.close(kept);
    libc.close(nowhere);
    library.close();
  }
}
