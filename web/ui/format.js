/** Numbers as people read them, in the page's language. */

import { language, t } from "./i18n.js";

const PERCENT = new Intl.NumberFormat(language, { style: "percent" });
const KILOHERTZ = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
const DECIBEL = new Intl.NumberFormat(language, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
  signDisplay: "exceptZero",
});
const TENTHS = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const DAY = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const SECONDS = unit("second");
const MINUTES = unit("minute");
const HOURS = unit("hour");
const MEGABYTES = unit("megabyte");
const GIGABYTES = unit("gigabyte");

/** @param {number} seconds @returns {string} such as 3:07 or 1:02:07 */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** @param {number} seconds @returns {string} such as 3:07.4 */
export function instant(seconds) {
  const tenths = Math.round(seconds * 10);
  return `${clock(tenths / 10)}${TENTHS.format((tenths % 10) / 10).slice(1)}`;
}

/** @param {number} seconds @returns {string} a rough span, such as 40 sec or 3 min */
export function span(seconds) {
  if (seconds < 90) return SECONDS.format(Math.max(1, Math.ceil(seconds)));
  if (seconds < 90 * 60) return MINUTES.format(Math.round(seconds / 60));
  return HOURS.format(Math.round(seconds / 360) / 10);
}

/** @param {number} bytes */
export function size(bytes) {
  const mega = bytes / 1e6;
  if (mega >= 1000) return GIGABYTES.format(Math.round(mega / 100) / 10);
  return MEGABYTES.format(mega < 10 ? Math.round(mega * 10) / 10 : Math.round(mega));
}

/** @param {number} time in milliseconds since 1970 */
export function day(time) {
  return DAY.format(time);
}

/** @param {number} fraction */
export function percent(fraction) {
  return PERCENT.format(fraction);
}

/** @param {number} hertz */
export function frequency(hertz) {
  return t("unit.kilohertz", { value: KILOHERTZ.format(hertz / 1000) });
}

/** @param {number} hertz @returns {string} such as 100 Hz or 10 kHz */
export function pitch(hertz) {
  return hertz < 1000 ? t("unit.hertz", { value: hertz }) : frequency(hertz);
}

/** @param {number} decibel @returns {string} such as −3.5 dB, with a real minus sign */
export function gain(decibel) {
  return t("unit.decibel", { value: DECIBEL.format(decibel).replace("-", "\u2212") });
}

/** @param {number} decibel @returns {string} a ratio without its unit, such as 13.4 */
export function ratio(decibel) {
  return TENTHS.format(decibel).replace("-", "\u2212");
}

/** @param {"second" | "minute" | "hour" | "megabyte" | "gigabyte"} name */
function unit(name) {
  return new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" });
}
