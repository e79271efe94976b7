// Edits a field of a key where its page shows it, without leaving the page.

import { show } from "./dialog.js";
import { saySignedOut } from "./dialog-forms.js";
import { onClick, onSubmit } from "./events.js";
import { fitsDialog, load, parse } from "./fragments.js";
import { fetchPart, replace } from "./fresh.js";
import { pageStatus, say } from "./messages.js";

const FORM = "[data-edit-form]";
const FIELD = "input:not([type=hidden]), textarea, select";
const UNREACHABLE = "Connection lost. The change may have been saved; reload the page to see.";

const isPlain = (event) => !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;

const fieldsOf = (form) => [...form.querySelectorAll(FIELD)];
const isChanged = (form) =>
  fieldsOf(form).some((field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked);

/** Not while another field is edited: what was typed there would be lost. */
async function open(link, event) {
  if (!isPlain(event)) return;
  event.preventDefault();
  const other = document.querySelector(FORM);
  if (other && isChanged(other)) {
    say("Save or cancel your other change first.", "warn");
    return fieldsOf(other)[0].focus();
  }
  const part = await fetchPart(link.href);
  focusField(part);
}

function focusField(part) {
  const form = part?.querySelector(FORM);
  (form?.querySelector("[aria-invalid=true]") ?? form?.querySelector(FIELD))?.focus();
}

async function cancel(form) {
  const name = form.dataset.editForm;
  const part = await fetchPart(form.querySelector("[data-edit-cancel]").href);
  focusPencil(part, name);
}

/** Back to the pencil, and to the page's own URL, which edits nothing. */
function focusPencil(part, name) {
  if (!part) return;
  history.replaceState(history.state, "", location.pathname);
  part.querySelector(`[data-edit="${name}"]`)?.focus();
}

async function save(form, button) {
  if (button.ariaBusy) return;
  button.ariaBusy = "true";
  try {
    await send(form);
  } catch {
    say(UNREACHABLE, "bad");
  }
  button.ariaBusy = null;
}

async function send(form) {
  const body = new URLSearchParams(new FormData(form));
  const response = await fetch(form.action, { method: "POST", body, cache: "no-store" });
  const page = parse(await response.text());
  if (page.querySelector("#key[data-fresh]")) return showAnswer(form, response, page);
  if (response.redirected) return saySignedOut();
  const got = await load(form.action, { method: "POST", body });
  if (got && fitsDialog(got.html)) return show(got.html, { typed: true }); // to be confirmed
  return say(`Something went wrong. Request ID: ${response.headers.get("X-Request-Id")}`, "bad");
}

/** The key's page as it is after the change, or with what is wrong. */
function showAnswer(form, response, page) {
  const name = form.dataset.editForm;
  const part = replace(document.querySelector("[data-fresh]"), page);
  if (!response.redirected) return focusField(part);
  document.title = page.title;
  focusPencil(part, name);
  const message = page.querySelector("#page-status [data-message]");
  if (message) say(message.textContent.trim(), message.dataset.message, pageStatus);
}

onClick("a[data-edit]", open);
onClick("a[data-edit-cancel]", (link, event) => {
  if (!isPlain(event)) return;
  event.preventDefault();
  cancel(link.closest(FORM));
});
onSubmit(FORM, save);

document.addEventListener("keydown", (event) => {
  const form = event.key === "Escape" && event.target.closest?.(FORM);
  if (form && !isChanged(form)) cancel(form);
});
