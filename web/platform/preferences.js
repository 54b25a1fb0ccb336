/** Preferences that outlive a visit, where the browser allows it. */

const PREFIX = "demixer.";

/**
 * @param {string} key
 * @returns {string | null}
 */
export function recall(key) {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/**
 * A record remembered as JSON.
 * @param {string} key
 * @returns {any} an empty object when there is none, or it is damaged
 */
export function recallRecord(key) {
  try {
    return Object(JSON.parse(recall(key) ?? "{}"));
  } catch {
    return {};
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
export function remember(key, value) {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // Private windows and full disks: the page works without preferences.
  }
}

/** @param {string} key */
export function forget(key) {
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // Nothing was remembered.
  }
}
