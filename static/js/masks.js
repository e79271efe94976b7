// Masked fields: shown on request, for a short time, and never in a tab that is left.

import { onClick } from "./events.js";
import { say } from "./messages.js";

const SHOWN_SECONDS = 30;

/** Masks a field or shows it; `button`, if any, says which. */
export function mask(field, button, hidden) {
  field.classList.toggle("masked", hidden);
  button?.setAttribute("aria-pressed", String(!hidden));
}

function toggle(button) {
  const field = document.getElementById(button.dataset.eye);
  const hidden = !field.classList.contains("masked");
  mask(field, button, hidden);
  say(hidden ? "Secret hidden." : "Secret shown.", "spoken");
  clearTimeout(button.timer);
  if (!hidden) button.timer = setTimeout(() => mask(field, button, true), SHOWN_SECONDS * 1000);
}

function maskAll() {
  for (const button of document.querySelectorAll("[data-eye]")) {
    mask(document.getElementById(button.dataset.eye), button, true);
  }
}

onClick("[data-eye]", toggle);

document.addEventListener("visibilitychange", () => {
  if (document.hidden) maskAll();
});
