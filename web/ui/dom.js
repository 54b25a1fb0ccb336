/** Helpers that make and change elements. */

import { siteUrl } from "../base/site.js";

const SVG = "http://www.w3.org/2000/svg";
const SPRITE = siteUrl("icons/lucide.svg").href;

/**
 * Makes an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | EventListener>} [attributes] `on…` functions listen; true sets an
 *   empty attribute, false leaves it out
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

/**
 * Makes a decorative icon; the element around it carries the accessible name.
 * @param {string} name of a symbol in `icons/lucide.svg`
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

/** Makes a button that shows an icon alone. @param {string} symbol @param {string} label @param {boolean} [small] */
export function iconButton(symbol, label, small = false) {
  const button = h(
    "button",
    { type: "button", class: "quiet", "aria-label": label, title: label },
    icon(symbol),
  );
  button.classList.toggle("small", small);
  return button;
}

/** Makes a progress bar; `drawBar` fills it. */
export function bar() {
  return h("div", { role: "progressbar", class: "bar", "aria-valuemin": 0, "aria-valuemax": 100 }, h("div"));
}

/**
 * @param {HTMLElement} bar
 * @param {string} name
 * @param {number} fraction
 * @param {string} text
 */
export function drawBar(bar, name, fraction, text) {
  if (bar.getAttribute("aria-label") !== name) bar.setAttribute("aria-label", name);
  bar.setAttribute("aria-valuenow", (100 * fraction).toFixed(2));
  bar.setAttribute("aria-valuetext", text);
  bar.style.setProperty("--fraction", String(fraction));
}

/**
 * Sets the text of an element unless it is the same already, which keeps live regions quiet and spares the layout.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Dispatches an event that bubbles up to the page, which reacts to it in `main.js`.
 * @param {EventTarget} target
 * @param {string} type
 * @param {unknown} [detail]
 */
export function emit(target, type, detail) {
  target.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
}

let nextId = 0;

/** @param {string} prefix @returns {string} an id that no other element has */
export function uniqueId(prefix) {
  nextId += 1;
  return `${prefix}-${nextId}`;
}
