/** Pointer and wheel gestures on a lane: seek, select a region, move its edges, scroll and zoom. */

import { scrolled, zoomed } from "./visible-span.js";

/** @typedef {import("../app/desk.js").Span} Span */
/** @typedef {{ view: Span, duration: number, region: Span | null }} Extent in seconds */

/** A shorter movement is a click. */
const SLIP_PX = 4;

/** Distance from an edge of the region at which it is grabbed. */
const REACH_PX = 6;

/** A notch of a wheel is about a hundred units. */
const ZOOM_PER_UNIT = 0.003;

export class LaneGestures {
  #lane;
  #emit;
  /** @type {Extent} */
  #extent = { view: { start: 0, stop: 0 }, duration: 0, region: null };
  /**
   * The fixed end in seconds, and where the pointer went down.
   * @type {{ anchor: number, x: number, dragging: boolean } | null}
   */
  #drag = null;
  /** @type {Span | null} */
  #region = null;

  /**
   * @param {HTMLElement} lane
   * @param {(type: string, detail: unknown) => void} emit
   */
  constructor(lane, emit) {
    this.#lane = lane;
    this.#emit = emit;
    lane.addEventListener("pointerdown", (event) => this.#press(event));
    lane.addEventListener("pointermove", (event) => this.#move(event));
    lane.addEventListener("pointerup", (event) => this.#release(event));
    lane.addEventListener("pointercancel", () => {
      this.#drag = null;
    });
    lane.addEventListener("wheel", (event) => this.#turn(event), { passive: false });
  }

  /** @param {Extent} extent */
  follow(extent) {
    this.#extent = extent;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0 || this.#extent.duration === 0) return;
    this.#lane.setPointerCapture(event.pointerId);
    const edge = this.#edgeAt(event.clientX);
    const { region } = this.#extent;
    const anchor = edge && region ? region[edge === "start" ? "stop" : "start"] : this.#timeAt(event.clientX);
    this.#drag = { anchor, x: event.clientX, dragging: edge !== null };
    this.#region = region;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const drag = this.#drag;
    this.#lane.classList.toggle("at-edge", (drag?.dragging ?? false) || this.#edgeAt(event.clientX) !== null);
    if (!drag) return;
    drag.dragging ||= Math.abs(event.clientX - drag.x) > SLIP_PX;
    if (!drag.dragging) return;
    const at = this.#timeAt(event.clientX);
    this.#region = { start: Math.min(at, drag.anchor), stop: Math.max(at, drag.anchor) };
    this.#emit("region-drag", this.#region);
  }

  /** @param {PointerEvent} event */
  #release(event) {
    const drag = this.#drag;
    this.#drag = null;
    if (drag?.dragging) this.#emit("region-change", this.#region);
    else if (drag) this.#emit("seek-seconds", this.#timeAt(event.clientX));
  }

  /** @param {WheelEvent} event */
  #turn(event) {
    const { view, duration } = this.#extent;
    if (event.ctrlKey || event.metaKey) {
      const factor = Math.exp(-event.deltaY * ZOOM_PER_UNIT);
      this.#emit("view-change", zoomed(view, factor, this.#timeAt(event.clientX), duration));
    } else {
      const across = event.shiftKey ? event.deltaX + event.deltaY : event.deltaX;
      if (across === 0 || view.stop - view.start >= duration) return;
      const seconds = (across / this.#lane.clientWidth) * (view.stop - view.start);
      this.#emit("view-change", scrolled(view, seconds, duration));
    }
    event.preventDefault();
  }

  /** @param {number} x */
  #timeAt(x) {
    const { left, width } = this.#lane.getBoundingClientRect();
    const { view, duration } = this.#extent;
    const seconds = view.start + ((x - left) / width) * (view.stop - view.start);
    return Math.min(duration, Math.max(0, seconds));
  }

  /** @param {number} x @returns {keyof Span | null} */
  #edgeAt(x) {
    const { region, view } = this.#extent;
    if (!region) return null;
    const reach = (REACH_PX / this.#lane.clientWidth) * (view.stop - view.start);
    const at = this.#timeAt(x);
    if (Math.abs(at - region.start) < reach) return "start";
    return Math.abs(at - region.stop) < reach ? "stop" : null;
  }
}
