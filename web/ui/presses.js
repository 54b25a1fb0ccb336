/** Presses of controls. A click is lost when its control moves or is replaced between the pointer's down and up. */

/** Controls, the innermost of which takes the press. */
const CONTROLS = "a, button, input, label, select, summary";

/** Controls that are drawn while they are pressed. */
const DRAGGED = ".grip, [type=range]";

/** Time in which the click of a tap follows its release. */
const CLICK_MS = 100;

/**
 * Keeps the page still while a control is pressed.
 * @param {() => void} draw
 * @returns {() => void} draws at once, or as soon as the press under way has become a click
 */
export function betweenPresses(draw) {
  let pressed = false;
  let due = false;
  let timer = 0;
  const request = () => {
    due = pressed;
    if (!pressed) draw();
  };
  const release = () => {
    clearTimeout(timer);
    pressed = false;
    if (due) request();
  };
  const releaseIn = (/** @type {number} */ milliseconds) => {
    if (!pressed) return;
    clearTimeout(timer);
    timer = setTimeout(release, milliseconds);
  };
  const press = (/** @type {PointerEvent} */ { target }) => {
    const control = target instanceof Element ? target.closest(CONTROLS) : null;
    if (!control || control.matches(DRAGGED)) return release();
    clearTimeout(timer);
    pressed = true;
  };
  addEventListener("pointerdown", press, true);
  addEventListener("pointerup", () => releaseIn(CLICK_MS), true);
  addEventListener("click", () => releaseIn(0), true); // after its own listeners
  addEventListener("pointercancel", release, true);
  addEventListener("blur", release);
  // A release outside the window, or in a menu, is not reported.
  addEventListener("pointermove", ({ buttons }) => buttons === 0 && releaseIn(CLICK_MS), true);
  return request;
}
