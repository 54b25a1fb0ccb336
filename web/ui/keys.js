/** Elements that mean something else by the space bar. */
const OWN_SPACE = "button, input, select, textarea, a, summary, dialog[open]";

/**
 * The space bar plays and pauses wherever it is not needed for something else.
 * @param {() => void} toggle
 */
export function onSpace(toggle) {
  addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.key !== " " || event.repeat || target.closest(OWN_SPACE)) return;
    event.preventDefault();
    toggle();
  });
}
