// Toasts about what was just done: over the page or its dialog, one at a time.
// Successes go away; what is to be acted on stays until it is dismissed or another message comes.

import { icon } from "./icons.js";

const SECONDS = 5;
/** Successes and plain news. A spoken one is for screen readers: what it says is seen elsewhere. */
const PASSING = new Set(["ok", "", "spoken"]);

document.documentElement.classList.add("js");

/** The page's own live region. */
export const pageStatus = document.querySelector("#page-status");

/** The live region that is read: a dialog makes the rest of the page inert. */
const current = () => document.querySelector("dialog[open] [data-messages]") ?? pageStatus;

/** Announces `text` as "ok", "warn", "bad", "spoken" or, without a kind, as news. `more` may have a
 *  `detail` such as a request ID, and `retry` to try again. */
export function say(text, kind = "", place = current(), more = {}) {
  if (!place) return null;
  if (kind === "spoken") clear(place);
  else removeFrom(place, (message) => !("lasting" in message.dataset));
  const message = document.createElement("div");
  message.dataset.message = kind;
  message.append(written("p", text));
  message.className = kind === "spoken" ? "visually-hidden" : `notice message ${kind}`;
  if (kind !== "spoken") equip(message, more);
  place.append(message);
  return message;
}

function written(name, text, look = "") {
  const element = document.createElement(name);
  element.textContent = text;
  element.className = look;
  return element;
}

/** Removes what is passing, and what would be said a second time. */
export function clear(place = current()) {
  removeFrom(place, (message) => PASSING.has(message.dataset.message));
}

function removeFrom(place, condition) {
  for (const message of place?.querySelectorAll("[data-message]") ?? []) {
    if (condition(message)) message.remove();
  }
}

function equip(message, { detail, retry } = {}) {
  if (!message.querySelector("svg")) message.prepend(icon(message.dataset.message || "news"));
  if (detail) message.querySelector("p").append(written("span", detail, "sub"));
  if (retry) message.append(retryButton(message, retry));
  message.append(dismissButton(message));
  if (PASSING.has(message.dataset.message)) leaveLater(message);
}

function retryButton(message, retry) {
  const button = written("button", "Retry", "button small");
  button.type = "button";
  button.addEventListener("click", () => {
    message.remove();
    retry();
  });
  return button;
}

function dismissButton(message) {
  const back = document.activeElement;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "icon-button";
  button.setAttribute("aria-label", "Dismiss");
  button.append(icon("dismiss"));
  button.addEventListener("click", () => {
    message.remove();
    const to = back?.isConnected && back !== document.body ? back : document.querySelector("#main");
    to?.focus({ preventScroll: true });
  });
  return button;
}

/** Not while it is pointed at or holds the focus, and not unseen in another tab. */
function leaveLater(message) {
  setTimeout(() => {
    if (document.hidden || message.matches(":hover, :focus-within")) leaveLater(message);
    else message.remove();
  }, SECONDS * 1000);
}

for (const message of document.querySelectorAll("#page-status [data-message]")) equip(message);
