// Shows links to forms as dialogs. Nothing unsaved or uncopied is dropped without a question.

import { closeWithBack, entered, left } from "./dialog-history.js";
import { announceShown, onClick } from "./events.js";
import { fitsDialog, load, parse, signIn } from "./fragments.js";
import { refresh } from "./fresh.js";
import { isUncopied, issuedKey, remember, wipe } from "./issued-secret.js";
import { closeMenus } from "./menus.js";
import { say } from "./messages.js";

export const dialog = document.querySelector("#dialog");
let opener = null;
let changed = false;
/** The form that a confirmation of the sign-in took the place of. */
let interrupted = null;

/** Shows HTML for which `fitsDialog` is true. `typed`: it holds what the user typed before. */
export function show(html, { typed = false } = {}) {
  keepInterrupted(html);
  dialog.innerHTML = html;
  present(typed);
}

function present(typed) {
  changed = typed;
  dialog.setAttribute("role", dialog.querySelector("[data-alert]") ? "alertdialog" : "dialog");
  const effect = dialog.querySelector("[data-effect]")?.id;
  if (effect) dialog.setAttribute("aria-describedby", effect);
  else dialog.removeAttribute("aria-describedby");
  if (!dialog.open) {
    dialog.showModal();
    entered();
  }
  announceShown(dialog);
  const invalid = dialog.querySelector("[data-error-summary]") && dialog.querySelector("[aria-invalid=true]");
  (invalid ?? dialog.querySelector("[autofocus]") ?? dialog.querySelector("#dialog-title"))?.focus();
}

/** A confirmation can be canceled, which brings the form back. Anything else takes its place for good. */
function keepInterrupted(html) {
  const confirms = parse(html).querySelector("[data-step-up]");
  const isForm = dialog.querySelector("form:not([data-step-up])");
  if (confirms && isForm) interrupted = [...dialog.childNodes];
  if (!confirms) interrupted = null;
}

function stepBack() {
  if (!interrupted) return askToClose();
  dialog.replaceChildren(...interrupted);
  interrupted = null;
  present(true);
}

/** Opens the dialog of a link; where it cannot be fetched, the page of the same URL. */
export async function openDialog(link, url = link.href) {
  opener = link.closest("details.menu")?.querySelector("summary") ?? link;
  closeMenus();
  try {
    const got = await load(url);
    if (!got) return signIn(pageWith(link));
    if (!got.response.ok || !fitsDialog(got.html)) return location.assign(url);
    show(got.html);
  } catch {
    location.assign(url);
  }
}

/** This page with its filters, and with the dialog of `link` open. */
function pageWith(link) {
  const here = new URL(location);
  here.searchParams.set("dialog", link.dataset.dialog);
  here.searchParams.set("of", new URL(link.href).pathname);
  return here;
}

/** The link that the query of the URL names. A kind alone is not enough where several objects have one. */
function deepLink() {
  const query = new URLSearchParams(location.search);
  const kind = query.get("dialog");
  if (!kind) return null;
  const links = [...document.querySelectorAll(`a[data-dialog="${CSS.escape(kind)}"]`)];
  const path = query.get("of") ?? (new Set(links.map((link) => link.pathname)).size === 1 && links[0].pathname);
  return links.find((link) => link.pathname === path) ?? null;
}

/** Wipes secrets and empties the dialog. */
export function dismiss() {
  remember(null);
  wipe();
  interrupted = null;
  dialog.close();
  dialog.replaceChildren();
  left();
}

function close() {
  const key = issuedKey();
  dismiss();
  if (key) {
    say(key.announce, "ok");
    refresh(key.keyId);
  } else {
    opener?.focus();
  }
}

/** Closes the dialog, or first asks about a secret that was not copied or a form that was changed. */
export function askToClose() {
  if (isUncopied()) {
    dialog.querySelector("[data-gate]").hidden = false;
    dialog.querySelector("[data-gate-back]").focus();
    return;
  }
  const question = changed && dialog.querySelector("[data-guard]") && dialog.querySelector("[data-discard]");
  if (!question) return close();
  question.hidden = false;
  question.querySelector("[data-discard-not]").focus();
}

closeWithBack(() => {
  if (!dialog?.open) return true;
  askToClose();
  return !dialog.open;
});

function keepEditing() {
  dialog.querySelector("[data-discard]").hidden = true;
  dialog.querySelector("[aria-invalid=true], [data-guard] input:not([type=hidden])")?.focus();
}

function backToSecret() {
  dialog.querySelector("[data-gate]").hidden = true;
  dialog.querySelector("[data-secret-copy]").focus();
}

function followLink(link, event) {
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (!dialog || !plain) return;
  event.preventDefault();
  openDialog(link);
}

function closeByLink(_, event) {
  if (!dialog?.open) return;
  event.preventDefault();
  askToClose();
}

onClick("a[data-dialog]", followLink);
onClick("[data-close]", closeByLink);
onClick("[data-done-button]", askToClose);
onClick("[data-gate-close]", close);
onClick("[data-gate-back]", backToSecret);
onClick("[data-step-back]", stepBack);
onClick("[data-discard-all]", close);
onClick("[data-discard-not]", keepEditing);

dialog?.addEventListener("input", (event) => {
  changed ||= event.target.form?.matches("[data-guard]");
});

// Chromium lets a second Escape close a dialog even if `cancel` is prevented, unless the key is taken.
dialog?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.preventDefault();
  askToClose();
});

dialog?.addEventListener("cancel", (event) => {
  event.preventDefault();
  askToClose();
});

window.addEventListener("pageshow", (event) => {
  if (!event.persisted || !dialog?.open) return;
  dialog.close();
  dialog.replaceChildren();
});

const linked = dialog && deepLink();
if (linked) openDialog(linked);
