import { App, report } from "./app.ts";
import { connectCell } from "./cell_view.ts";
import { find, showProblem } from "./elements.ts";
import { startEngine } from "./embedded.ts";
import { connectLook } from "./look_view.ts";
import { connectNetworks } from "./networks.ts";
import { connectSources } from "./sources.ts";
import { connectTabs } from "./tabs.ts";

try {
  const app = new App(await startEngine(), location.hash);
  find("dismiss").addEventListener("click", () => showProblem(""));
  connectTabs(app);
  connectLook(app);
  connectCell(app);
  connectSources(app, connectNetworks(app));
  app.run();
} catch (error) {
  report(error);
}
