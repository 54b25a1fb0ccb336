/** The page's texts: flat keys in `locales/`, `{name}` where a value goes, `.one`, `.other`… where a count decides. */

import { recall, remember } from "../platform/memory.js";

/** @typedef {Record<string, string | number>} Params */

/** Every language of the page, named in itself. */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", fr: "Français", ja: "日本語" };

const KEY = "language";

/** The language of the texts and of the numbers. */
export let language = "";
/** @type {Record<string, string>} */
let texts = {};
let plurals = new Intl.PluralRules();
let numbers = new Intl.NumberFormat();
await speak(preferred());

/**
 * From now on; what is already on the page is for the caller to say again.
 * @param {string} chosen
 */
export async function chooseLanguage(chosen) {
  await speak(chosen);
  remember(KEY, chosen);
}

/** @returns {string} what was chosen before, else the first of the browser's languages that the page has */
function preferred() {
  const wanted = [recall(KEY) ?? "", ...navigator.languages].map((tag) => tag.split("-")[0]);
  return wanted.find((each) => Object.hasOwn(LANGUAGES, each)) ?? "en";
}

/** @param {string} locale of a file in `locales/` */
async function speak(locale) {
  const response = await fetch(new URL(`../locales/${locale}.json`, import.meta.url));
  texts = await response.json();
  plurals = new Intl.PluralRules(locale);
  numbers = new Intl.NumberFormat(locale);
  language = locale;
  document.documentElement.lang = locale;
}

/**
 * @param {string} key
 * @param {Params} [params] `count`, if given, also chooses the plural form
 * @param {string} [otherwise] what stands where the text is missing: the key itself, so that the gap is seen
 * @returns {string}
 */
export function t(key, params = {}, otherwise = key) {
  const plural = typeof params.count === "number" ? plurals.select(params.count) : "";
  const text = texts[`${key}.${plural}`] ?? texts[key] ?? otherwise;
  return text.replace(/\{(\w+)\}/g, (hole, name) => (name in params ? shown(params[name]) : hole));
}

/** @param {string | number} value */
function shown(value) {
  return typeof value === "number" ? numbers.format(value) : value;
}

/**
 * Fills in the texts of a piece of HTML: `data-i18n` for the content, `data-i18n-label` for the accessible name.
 * @param {ParentNode} root
 */
export function translate(root) {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-i18n]"))) {
    element.textContent = t(/** @type {string} */ (element.dataset.i18n));
  }
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-i18n-label]"))) {
    const label = t(/** @type {string} */ (element.dataset.i18nLabel));
    element.setAttribute("aria-label", label);
    if (element.title) element.title = label;
  }
}
