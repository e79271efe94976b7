// Shows what was typed into a password field, until the form is sent or the tab is left.

import { onClick } from "./events.js";

const BUTTONS = "[data-show-password]";

function set(button, shown) {
  document.getElementById(button.getAttribute("aria-controls")).type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
}

/** Browsers offer to remember only what is a password field when it is sent. */
function hideAll() {
  for (const button of document.querySelectorAll(BUTTONS)) set(button, false);
}

onClick(BUTTONS, (button) => set(button, button.getAttribute("aria-pressed") !== "true"));
document.addEventListener("submit", hideAll);
document.addEventListener("visibilitychange", () => document.hidden && hideAll());
