import { type App, attempt } from "./app.ts";
import { announce, find, showProblem } from "./elements.ts";
import { Engine } from "./engine.ts";
import { saveFile } from "./share.ts";

/**
 * Connects what opens another network and saves the present one.
 *
 * @returns Function that opens a checkpoint file.
 */
export function connectNetworks(app: App): (file: File) => Promise<void> {
  const open = (file: File) =>
    attempt(async () => {
      app.open(await Engine.open(new Uint8Array(await file.arrayBuffer()), file.name, app.engine.known));
      showProblem("");
      announce(`Opened ${file.name}.`);
    });
  const input = find<HTMLInputElement>("checkpoint");
  find("open-network").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file !== undefined) void open(file);
    input.value = "";
  });
  find("save-network").addEventListener("click", () =>
    attempt(() => {
      const { name } = app.engine.network;
      saveFile(`${name}.safetensors`, new Blob([app.engine.save().slice()]));
    }));
  return open;
}
