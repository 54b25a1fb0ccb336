/** The page's texts: flat keys in `locales/`, with `{name}` for values and `.one`, `.other`… for plural forms. */

import { siteUrl } from "../base/site.js";
import { recall, remember } from "../platform/preferences.js";

/** @typedef {Record<string, string | number>} Params */

/** The languages of the page, each in its own words. */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", fr: "Français", ja: "日本語" };

const KEY = "language";
const changes = new EventTarget();

/** The language of the texts and of the numbers. */
export let language = "";
/** @type {Record<string, string>} */
let texts = {};
let plurals = new Intl.PluralRules();
let numbers = new Intl.NumberFormat();
/** The language that was requested last; its texts may still be loading. */
let requested = "";
await load(preferred());

/** @param {string} locale one of `LANGUAGES` */
export async function chooseLanguage(locale) {
  await load(locale);
  if (language !== locale) return;
  remember(KEY, locale);
  changes.dispatchEvent(new Event("change"));
}

/** @param {() => void} listener called when the language has changed */
export function onLanguageChange(listener) {
  changes.addEventListener("change", listener);
}

/** @returns {string} the language chosen before, or the first of the browser's languages that the page has */
function preferred() {
  const tags = [recall(KEY) ?? "", ...navigator.languages].map((tag) => tag.split("-")[0]);
  return tags.find((each) => Object.hasOwn(LANGUAGES, each)) ?? "en";
}

/** @param {string} locale of a file in `locales/` */
async function load(locale) {
  requested = locale;
  const response = await fetch(siteUrl(`locales/${locale}.json`));
  const loaded = await response.json();
  if (locale !== requested) return;
  texts = loaded;
  plurals = new Intl.PluralRules(locale);
  numbers = new Intl.NumberFormat(locale);
  language = locale;
  document.documentElement.lang = locale;
}

/**
 * The text of a key.
 * @param {string} key
 * @param {Params} [params] `count` also selects the plural form
 * @param {string} [otherwise] used for a missing text; by default the key
 * @returns {string}
 */
export function t(key, params = {}, otherwise = key) {
  const plural = typeof params.count === "number" ? plurals.select(params.count) : "";
  const text = texts[`${key}.${plural}`] ?? texts[key] ?? otherwise;
  return text.replace(/\{(\w+)\}/g, (hole, name) =>
    Object.hasOwn(params, name) ? valueText(params[name]) : hole,
  );
}

/** @param {string | number} value */
function valueText(value) {
  return typeof value === "number" ? numbers.format(value) : value;
}

/**
 * Fills in the texts of markup: `data-i18n` names the content, `data-i18n-label` the accessible name.
 * @param {ParentNode} root
 */
export function translate(root) {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-i18n]"))) {
    element.textContent = t(/** @type {string} */ (element.dataset.i18n));
  }
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-i18n-label]"))) {
    element.setAttribute("aria-label", t(/** @type {string} */ (element.dataset.i18nLabel)));
  }
}
