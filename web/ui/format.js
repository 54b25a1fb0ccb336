/** Numbers, times and sizes in the page's language. */

import { language, onLanguageChange, t } from "./i18n.js";

let formats = formatsOf(language);
onLanguageChange(() => {
  formats = formatsOf(language);
});

/** @param {string} locale */
function formatsOf(locale) {
  /** @param {Intl.NumberFormatOptions} options */
  const number = (options) => new Intl.NumberFormat(locale, options);
  const tenths = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  /** @param {"second" | "minute" | "hour" | "megabyte" | "gigabyte"} name */
  const unit = (name) => number({ style: "unit", unit: name, unitDisplay: "short" });
  return {
    percent: number({ style: "percent" }),
    kilohertz: number({ maximumFractionDigits: 3 }),
    decibel: number({ ...tenths, signDisplay: "exceptZero" }),
    tenths: number(tenths),
    day: new Intl.DateTimeFormat(locale, { dateStyle: "medium" }),
    seconds: unit("second"),
    minutes: unit("minute"),
    hours: unit("hour"),
    megabytes: unit("megabyte"),
    gigabytes: unit("gigabyte"),
  };
}

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
  return `${clock(tenths / 10)}${formats.tenths.format((tenths % 10) / 10).slice(1)}`;
}

/** @param {number} seconds @returns {string} such as 40 sec or 3 min */
export function approximateTime(seconds) {
  if (seconds < 90) return formats.seconds.format(Math.max(1, Math.ceil(seconds)));
  if (seconds < 90 * 60) return formats.minutes.format(Math.round(seconds / 60));
  return formats.hours.format(Math.round(seconds / 360) / 10);
}

/** @param {number} bytes */
export function size(bytes) {
  const mega = bytes / 1e6;
  if (mega >= 1000) return formats.gigabytes.format(Math.round(mega / 100) / 10);
  return formats.megabytes.format(mega < 10 ? Math.round(mega * 10) / 10 : Math.round(mega));
}

/** @param {number} time in milliseconds since 1970 @returns {string} the date */
export function day(time) {
  return formats.day.format(time);
}

/** @param {number} fraction */
export function percent(fraction) {
  return formats.percent.format(fraction);
}

/** @param {number} hertz @returns {string} such as 44.1 kHz */
export function kilohertz(hertz) {
  return t("unit.kilohertz", { value: formats.kilohertz.format(hertz / 1000) });
}

/** @param {number} hertz @returns {string} such as 100 Hz or 10 kHz */
export function frequency(hertz) {
  return hertz < 1000 ? t("unit.hertz", { value: hertz }) : kilohertz(hertz);
}

/** @param {number} decibel @returns {string} such as −3.5 dB, with a real minus sign */
export function decibels(decibel) {
  return t("unit.decibel", { value: formats.decibel.format(decibel).replace("-", "\u2212") });
}

/** @param {number} decibel @returns {string} a ratio without its unit, such as 13.4 */
export function ratio(decibel) {
  return formats.tenths.format(decibel).replace("-", "\u2212");
}
