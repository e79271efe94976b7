// Copies texts and says how that went, also on the button, where the user looks.

import { onClick } from "./events.js";
import { icon } from "./icons.js";
import { closeMenus } from "./menus.js";
import { say } from "./messages.js";

const COPIED_SECONDS = 2;
const SELECTED = "Copying is blocked here. The text is selected: press Ctrl+C.";

/** Whether `text` could be copied; says `success`, if given, or `failure`. */
export async function copy(text, { success, failure, button }) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    say(failure, "warn");
    return false;
  }
  if (success) say(success, "ok");
  if (button) mark(button);
  return true;
}

/** A check and “Copied” for a moment, in the room that the button has. */
export function mark(button, word = "Copied") {
  if ("justCopied" in button.dataset) return;
  const label = button.querySelector("span:not(.visually-hidden)");
  const text = label?.textContent;
  button.style.minInlineSize = `${button.offsetWidth}px`;
  button.dataset.justCopied = "";
  button.prepend(icon("done"));
  if (label) label.textContent = word;
  setTimeout(() => {
    delete button.dataset.justCopied;
    button.style.minInlineSize = "";
    button.querySelector("[data-icon]")?.remove();
    if (label) label.textContent = text;
  }, COPIED_SECONDS * 1000);
}

async function copyValue(button) {
  const { copyValue: value, copied } = button.dataset;
  const marked = button.closest("details.menu") ? null : button;
  closeMenus();
  await copy(value, { success: copied, failure: `Copying is blocked here. It is ${value}.`, button: marked });
}

async function copyFrom(button) {
  const source = document.getElementById(button.dataset.copy);
  const done = await copy(source.textContent, { success: button.dataset.copied, failure: SELECTED, button });
  if (!done) getSelection().selectAllChildren(source);
}

onClick("[data-copy]", copyFrom);
onClick("[data-copy-value]", copyValue);
