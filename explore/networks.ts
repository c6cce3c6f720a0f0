import type { App } from "./app.ts";
import { announce, showProblem } from "./elements.ts";
import { Engine } from "./engine.ts";
import { attempt } from "./sources.ts";

/**
 * Connects what opens another network.
 *
 * @returns Function that opens a checkpoint file.
 */
export function connectNetworks(app: App): (file: File) => Promise<void> {
  return (file) =>
    attempt(async () => {
      app.open(await Engine.open(new Uint8Array(await file.arrayBuffer()), file.name));
      showProblem("");
      announce(`Opened ${file.name}.`);
    });
}
