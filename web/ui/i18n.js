/** The page's texts: flat keys in `locales/`, `{name}` where a value goes, `.one`, `.other`… where a count decides. */

import { siteUrl } from "../base/site.js";
import { recall, remember } from "../platform/preferences.js";

/** @typedef {Record<string, string | number>} Params */

/** Every language of the page, named in itself. */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", fr: "Français", ja: "日本語" };

const KEY = "language";
const changes = new EventTarget();

/** The language of the texts and of the numbers. */
export let language = "";
/** @type {Record<string, string>} */
let texts = {};
let plurals = new Intl.PluralRules();
let numbers = new Intl.NumberFormat();
/** The one that was asked for last, whose texts may still be on their way. */
let wanted = "";
await speak(preferred());

/** @param {string} locale one of `LANGUAGES` */
export async function chooseLanguage(locale) {
  await speak(locale);
  if (language !== locale) return;
  remember(KEY, locale);
  changes.dispatchEvent(new Event("change"));
}

/**
 * For what has said its texts already.
 * @param {() => void} listener is called when the language has changed
 */
export function onLanguageChange(listener) {
  changes.addEventListener("change", listener);
}

/** @returns {string} what was chosen before, else the first of the browser's languages that the page has */
function preferred() {
  const tags = [recall(KEY) ?? "", ...navigator.languages].map((tag) => tag.split("-")[0]);
  return tags.find((each) => Object.hasOwn(LANGUAGES, each)) ?? "en";
}

/** @param {string} locale of a file in `locales/` */
async function speak(locale) {
  wanted = locale;
  const response = await fetch(siteUrl(`locales/${locale}.json`));
  const loaded = await response.json();
  if (locale !== wanted) return;
  texts = loaded;
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
    element.setAttribute("aria-label", t(/** @type {string} */ (element.dataset.i18nLabel)));
  }
}
