import type { App } from "./app.ts";
import { find } from "./elements.ts";
import { type Panel, PANELS } from "./state.ts";

/** Shows one panel at a time; the arrow keys move between the tabs, as screen readers expect. */
export function connectTabs(app: App): void {
  const tabs = PANELS.map((panel) => ({ panel, tab: find(`tab-${panel}`), section: find(`panel-${panel}`) }));
  const choose = (panel: Panel) => {
    app.change({ panel });
    find(`tab-${panel}`).focus();
  };
  tabs.forEach(({ panel, tab }, at) => {
    tab.addEventListener("click", () => app.change({ panel }));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (step !== undefined) choose(tabs[(at + step + tabs.length) % tabs.length].panel);
    });
  });
  app.onChange(() => {
    for (const { panel, tab, section } of tabs) {
      const isChosen = panel === app.state.panel;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      section.hidden = !isChosen;
    }
  });
}
