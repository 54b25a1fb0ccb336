/** The page's texts: flat keys in `locales/`, `{name}` where a value goes, `.one` and `.other` where a count decides. */

/** @typedef {Record<string, string | number>} Params */

/** The language of the texts and of the numbers. */
export const language = "en";
const texts = await load(language);
const plurals = new Intl.PluralRules(language);
document.documentElement.lang = language;

/**
 * @param {string} locale of a file in `locales/`
 * @returns {Promise<Record<string, string>>}
 */
async function load(locale) {
  const response = await fetch(new URL(`../locales/${locale}.json`, import.meta.url));
  return response.json();
}

/**
 * @param {string} key
 * @param {Params} [params] `count`, if given, also chooses the plural form
 * @returns {string} the text, or the key itself where it is missing, so that the gap is seen
 */
export function t(key, params = {}) {
  const plural = typeof params.count === "number" ? plurals.select(params.count) : "";
  const text = texts[`${key}.${plural}`] ?? texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (hole, name) => String(params[name] ?? hole));
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
