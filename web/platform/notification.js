/** System notifications for a page in the background. Permission is requested only when the user turns them on. */

import { siteUrl } from "../base/site.js";
import { recall, remember } from "./preferences.js";

const WANTED_KEY = "notify";

/** True when the browser could show notifications. */
export function notificationsExist() {
  return "Notification" in globalThis && Notification.permission !== "denied";
}

export function canNotify() {
  return notificationsExist() && Notification.permission === "granted" && recall(WANTED_KEY) === "yes";
}

/**
 * Needs the user activation of a click: the browser asks the user, who may refuse.
 * @param {boolean} wanted
 */
export async function wantNotifications(wanted) {
  remember(WANTED_KEY, wanted ? "yes" : "no");
  if (wanted && Notification.permission === "default") await Notification.requestPermission();
}

/** @param {string} text */
export function notify(text) {
  try {
    const notification = new Notification(text, {
      icon: siteUrl("icons/app-192.png").href,
    });
    notification.addEventListener("click", () => {
      window.focus();
      notification.close();
    });
  } catch {
    // Phones show notifications only from a service worker.
  }
}
