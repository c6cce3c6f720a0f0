import { join } from "node:path";

const STDERR = 2;
const WRITE_ONLY = 1; // O_WRONLY

/**
 * Loads TensorFlow's library without its two lines on standard error, which say that oneDNN is in use.
 *
 * Its static initialisers write them before any log level can be set, and `TF_CPP_MIN_LOG_LEVEL` does not
 * reach them. So standard error leads nowhere while the library loads. What can fail meanwhile is thrown, not
 * printed.
 *
 * @param libraryFolder Where `libtensorflow_framework.so.2` is.
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
