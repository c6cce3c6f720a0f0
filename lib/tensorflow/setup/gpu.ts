const MILLISECONDS_TO_ANSWER = 20_000;

/**
 * Asks NVIDIA's driver for its first GPU.
 *
 * @returns Its name, or `null` if there is no `nvidia-smi`, or it finds no GPU.
 */
export async function findGpu(): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("nvidia-smi", {
      args: ["--list-gpus"],
      stdin: "null",
      stderr: "null",
      // a driver in trouble may hang
      signal: AbortSignal.timeout(MILLISECONDS_TO_ANSWER),
    }).output();
    const gpu = /^GPU \d+: (.+?)(?: \(UUID.*)?$/m.exec(new TextDecoder().decode(stdout));
    return success && gpu !== null ? gpu[1] : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}
