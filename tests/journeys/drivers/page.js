/** Finds elements by role and accessible name, the same way in every engine. Wrapped around each script of a driver. */

const NATIVE = {
  button: "button",
  dialog: "dialog",
  group: "fieldset",
  heading: "h1, h2, h3",
  list: "ul, ol",
  radio: "input[type=radio]",
  region: "section",
  slider: "input[type=range]",
};

/** @param {Element} element */
function nameOf(element) {
  const text = (each) => (each?.textContent ?? "").replaceAll(/\s+/g, " ").trim();
  const by = element.getAttribute("aria-labelledby");
  if (by)
    return by
      .split(" ")
      .map((id) => text(document.getElementById(id)))
      .join(" ");
  return element.ariaLabel || (element.labels?.length ? text(element.labels[0]) : text(element));
}

/** Visible elements of a role, of any name if none is given, inside of the elements of an outer path. */
function findAll([role, name], ...outer) {
  const roots = outer.length ? findAll(...outer) : [document];
  const native = NATIVE[role] ? `, :is(${NATIVE[role]}):not([role])` : "";
  return roots
    .flatMap((root) => [...root.querySelectorAll(`[role=${role}]${native}`)])
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .filter((element) => name === undefined || name === null || nameOf(element) === name);
}

/** Two animation frames: what was under way has been laid out. */
const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

const placeOf = (element) => JSON.stringify(element.getBoundingClientRect());

/** True when a pointer at the centre of an element meets it, or what stands for it. */
function isMet(element) {
  const { left, top, width, height } = element.getBoundingClientRect();
  const met = document.elementFromPoint(left + width / 2, top + height / 2);
  return met !== null && (element.contains(met) || met.closest("label")?.control === element);
}

/**
 * The element to press: a radio button may be hidden behind its label. Null until it can be pressed: it is enabled, has
 * stood still for two frames, and nothing covers it.
 */
async function target(path) {
  const [element] = findAll(...path);
  if (!element || element.matches(":disabled")) return null;
  const shown = element.type === "radio" && element.labels.length ? element.labels[0] : element;
  shown.scrollIntoView({ block: "center", behavior: "instant" });
  const place = placeOf(shown);
  await frames();
  return placeOf(shown) === place && isMet(shown) ? shown : null;
}

/** The texts of elements, or of the whole page. */
const texts = (path) =>
  (path.length ? findAll(...path) : [document.body]).map((element) => element.innerText.trim());
