// Sends the forms of dialogs. What was typed is kept until the server has accepted it.

import { dismiss, show } from "./dialog.js";
import { onSubmit } from "./events.js";
import { fitsDialog, load, parse } from "./fragments.js";
import { refresh } from "./fresh.js";
import { pageStatus, say } from "./messages.js";

const LOST = "The change may have been made; check before trying again.";
const RENEWED =
  "You signed in again after this was opened. Nothing was changed. What you typed is still here: send it again.";
const SIGNED_OUT = "You were signed out. Nothing was changed, and what you typed is still here.";

async function submit(form, button) {
  if (form.dataset.sending) return;
  form.dataset.sending = "1";
  const pressed = button ?? form.querySelector("[data-submit], button");
  const release = press(form, pressed);
  const retry = () => form.requestSubmit(button);
  try {
    if (await send(form, button, release, retry)) return;
  } catch {
    say(`Connection lost. ${form.dataset.lost ?? LOST}`, "bad", undefined, { retry });
  }
  release();
}

/** The button says that it is at work, in the room that it has. Returns what undoes that. */
function press(form, button) {
  const before = [...button.childNodes];
  button.style.minInlineSize = `${button.offsetWidth}px`;
  button.setAttribute("aria-busy", "true");
  if (form.dataset.busy) button.textContent = form.dataset.busy;
  return () => {
    button.replaceChildren(...before);
    button.removeAttribute("aria-busy");
    button.style.minInlineSize = "";
    delete form.dataset.sending;
  };
}

/** Whether the form is gone: another one or the message of its success took its place. */
async function send(form, button, release, retry) {
  if (form.dataset.signedOut && (await renewToken(form))) delete form.dataset.signedOut;
  const body = new URLSearchParams(new FormData(form, button));
  const got = await load(form.action, { method: "POST", body });
  const done = got && parse(got.html).querySelector("[data-done]");
  if (done) {
    dismiss();
    say(done.textContent, done.dataset.done, pageStatus);
    refresh();
    return true;
  }
  if (got && fitsDialog(got.html)) {
    release(); // the form comes back if its confirmation is canceled
    show(got.html, { typed: true });
    return true;
  }
  await sayRefusal(form, got?.response, retry);
  return false;
}

/** Nothing was changed: says why, and leaves the form as it is. */
async function sayRefusal(form, response, retry) {
  const renewed = response?.status === 403 && (await renewToken(form));
  if (!response || renewed === null) {
    form.dataset.signedOut = "1";
    saySignedOut();
  } else if (renewed) {
    say(RENEWED, "warn");
  } else {
    const detail = `Request ID: ${response.headers.get("X-Request-Id")}`;
    say("Something went wrong.", "bad", undefined, { detail, retry });
  }
}

/** A sign-in in another tab makes the form's token void: takes the new one, if there is one.
 *  Null if the user is signed out. */
async function renewToken(form) {
  const field = form.elements.csrfmiddlewaretoken;
  const got = await load(form.action);
  if (!got) return null;
  const token = parse(got.html).querySelector("[data-dialog-content] [name=csrfmiddlewaretoken]");
  if (!field || !token) return false;
  field.value = token.value;
  return true;
}

/** Says how to sign in; the dialog stays open with what it holds. */
export function saySignedOut() {
  document.querySelector("[data-sign-in-again]")?.remove();
  const link = document.createElement("a");
  link.href = `/accounts/login/?next=${encodeURIComponent(location.pathname)}`;
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = "Sign in in a new tab";
  const message = say(SIGNED_OUT, "warn");
  message.dataset.signInAgain = "";
  message.querySelector("p").append(" ", link, ", then send it again.");
}

onSubmit("#dialog form:not([data-test])", submit);
