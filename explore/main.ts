import { App, report } from "./app.ts";
import { connectCell } from "./cell_view.ts";
import { find, showProblem } from "./elements.ts";
import { startEngine } from "./embedded.ts";
import { connectGenerate } from "./generate_view.ts";
import { connectHide } from "./hide_view.ts";
import { connectLook } from "./look_view.ts";
import { connectMatrix } from "./matrix_view.ts";
import { connectNetworks } from "./networks.ts";
import { connectShare } from "./share.ts";
import { connectSources } from "./sources.ts";
import { connectTeach } from "./teach_view.ts";
import { connectTabs } from "./tabs.ts";

try {
  const app = new App(await startEngine(), location.hash);
  find("dismiss").addEventListener("click", () => showProblem(""));
  connectTabs(app);
  connectLook(app);
  connectCell(app);
  connectGenerate(app);
  connectMatrix(app);
  connectHide(app);
  const collect = connectTeach(app);
  connectSources(app, { openNetwork: connectNetworks(app), collect });
  connectShare(app);
  app.run();
} catch (error) {
  report(error);
}
