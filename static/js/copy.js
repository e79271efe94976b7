// Copies texts and says how that went, also on the button, where the user looks.

import { onClick } from "./events.js";
import { closeMenus } from "./menus.js";
import { say } from "./messages.js";

const COPIED_SECONDS = 2;
const SELECTED = "Copying is blocked here. The text is selected: press Ctrl+C.";

/** Whether `text` could be copied; says `success` or `failure`. */
export async function copy(text, { success, failure, button }) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    say(failure, "warn");
    return false;
  }
  say(success, "ok");
  if (button) {
    button.dataset.justCopied = "";
    setTimeout(() => delete button.dataset.justCopied, COPIED_SECONDS * 1000);
  }
  return true;
}

async function copyValue(button) {
  const value = button.dataset.copyValue;
  closeMenus();
  await copy(value, { success: button.dataset.copied, failure: `Copying is blocked here. It is ${value}.` });
}

async function copyFrom(button) {
  const source = document.getElementById(button.dataset.copy);
  const done = await copy(source.textContent, { success: button.dataset.copied, failure: SELECTED, button });
  if (!done) getSelection().selectAllChildren(source);
}

onClick("[data-copy]", copyFrom);
onClick("[data-copy-value]", copyValue);
