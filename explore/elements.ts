/**
 * The few things that every view does with the document.
 *
 * @module
 */

/** Finds an element of page.html. */
export function find<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`page.html has no #${id}.`);
  return element as T;
}

/** Attributes, by their HTML names. */
export type Attributes = Readonly<Record<string, string | number>>;

/** Creates an element. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Creates an SVG element. */
export function makeSvg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** Sets an element's text where it differs: a screen reader reads what changes. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Connects radio buttons, one of which is chosen.
 *
 * @param name Of the group in page.html.
 * @returns Function that shows a value as chosen.
 */
export function connectChoice(name: string, choose: (value: string) => void): (value: string) => void {
  const buttons = [...document.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)];
  for (const button of buttons) button.addEventListener("change", () => choose(button.value));
  return (value) => {
    for (const button of buttons) button.checked = button.value === value;
  };
}

/** Says something to screen readers, politely. */
export function announce(text: string): void {
  setText(find("announcement"), text);
}

/** Shows an error where the reader looks, as one sentence; an empty one hides it. */
export function showProblem(text: string): void {
  const problem = find("problem");
  setText(problem.querySelector("span")!, text);
  problem.hidden = text === "";
}

/** Fills a list of classes. */
export function fillClasses(select: HTMLSelectElement, names: readonly string[], chosen: number): void {
  select.replaceChildren(...names.map((name, label) => make("option", { value: label }, name)));
  select.selectedIndex = chosen;
}
