/** Numbers as people read them, in the page's language. */

import { currentLanguage, t } from "./i18n.js";

/** @param {number} seconds @returns {string} such as 3:07 or 1:02:07 */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** @param {number} seconds @returns {string} a rough span, such as 40 s or 3 min */
export function span(seconds) {
  if (seconds < 90) return unit(Math.max(1, Math.ceil(seconds)), "second");
  if (seconds < 90 * 60) return unit(Math.round(seconds / 60), "minute");
  return unit(Math.round(seconds / 360) / 10, "hour");
}

/** @param {number} bytes */
export function size(bytes) {
  const mega = bytes / 1e6;
  return unit(mega < 10 ? Math.round(mega * 10) / 10 : Math.round(mega), "megabyte");
}

/** @param {number} fraction */
export function percent(fraction) {
  return new Intl.NumberFormat(currentLanguage(), { style: "percent" }).format(fraction);
}

/** @param {number} hertz */
export function frequency(hertz) {
  return t("unit.kilohertz", { value: number(hertz / 1000, 3) });
}

/** @param {number} decibel @returns {string} such as −3.5 dB, with a real minus sign */
export function gain(decibel) {
  const formatted = new Intl.NumberFormat(currentLanguage(), {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
    signDisplay: "exceptZero",
  }).format(decibel);
  return t("unit.decibel", { value: formatted.replace("-", "\u2212") });
}

/** @param {number} value @param {number} digits */
function number(value, digits) {
  return new Intl.NumberFormat(currentLanguage(), { maximumFractionDigits: digits }).format(value);
}

/** @param {number} value @param {"second" | "minute" | "hour" | "megabyte"} name */
function unit(value, name) {
  return new Intl.NumberFormat(currentLanguage(), { style: "unit", unit: name, unitDisplay: "short" }).format(
    value,
  );
}
