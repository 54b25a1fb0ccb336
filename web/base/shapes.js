/**
 * Composable predicates that describe the data of messages.
 *
 * @example const song = object({ rate: positive, title: optional(text) });
 */

/** @typedef {(value: any) => boolean} Shape */

/** @type {Shape} */
export const text = (value) => typeof value === "string";
/** @type {Shape} */
export const flag = (value) => typeof value === "boolean";
/** @type {Shape} */
export const finite = Number.isFinite;
/** A whole number above zero. @type {Shape} */
export const count = (value) => Number.isSafeInteger(value) && value > 0;
/** A whole number from zero up. @type {Shape} */
export const index = (value) => Number.isSafeInteger(value) && value >= 0;
/** @type {Shape} */
export const positive = (value) => Number.isFinite(value) && value > 0;
/** @type {Shape} */
export const anything = () => true;

/** @param {...unknown} choices @returns {Shape} */
export const oneOf =
  (...choices) =>
  (value) =>
    choices.includes(value);
/** @param {...Shape} shapes @returns {Shape} */
export const anyOf =
  (...shapes) =>
  (value) =>
    shapes.some((shape) => shape(value));
/** @param {new (...args: any[]) => object} type @returns {Shape} */
export const instance = (type) => (value) => value instanceof type;
/** @param {Shape} shape @returns {Shape} */
export const optional = (shape) => (value) => value === undefined || shape(value);
/** @param {Shape} shape @returns {Shape} */
export const nullable = (shape) => (value) => value === null || shape(value);
/** @param {Shape} shape @returns {Shape} */
export const listOf = (shape) => (value) => Array.isArray(value) && value.every(shape);
/** @param {Shape} shape @returns {Shape} */
export const mapOf = (shape) => (value) => isObject(value) && Object.values(value).every(shape);
/** Extra properties are allowed. @param {Record<string, Shape>} shapes @returns {Shape} */
export const object = (shapes) => (value) =>
  isObject(value) && Object.entries(shapes).every(([name, shape]) => shape(value[name]));

/** @type {Shape} */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
