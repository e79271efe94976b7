// Turns links to forms into dialogs and looks after secrets while they are on the page.
// Every page works without it. What holds a secret is fetched and dropped here alone.

import { firstCharacters, inWords } from "./characters.js";
import { clear, copy, say } from "./messages.js";

const dialog = document.querySelector("#dialog");
const pageStatus = document.querySelector("#page-status");
const UNREACHABLE =
  "We couldn't reach the server, so we don't know whether this was done. Check the list before you try again.";
const RENEWED =
  "You signed in again after this was opened. Nothing was changed. What you typed is still here: send it again.";
const SIGNED_OUT = "You were signed out. Nothing was changed, and what you typed is still here.";
const OFFLINE = "You are offline. What you see may be old, and changes can’t be sent.";
const BLOCKED = "Copying is blocked here. The key is selected: press Ctrl+C.";
const SHOWN = 800;
const EYE_SECONDS = 30;
const LONGEST_TEST = 15_000;
let opener = null;
let changed = false;
let tested = null;
/** What was told of a key that was created in this dialog, once another face has followed. */
let created = null;

// --- Copying -------------------------------------------------------------------------------

async function copyValue(button) {
  const value = button.dataset.copyValue;
  closeMenus();
  await copy(value, { success: button.dataset.copied, failure: `Copying is blocked here. It is ${value}.` });
}

/** Menus other than the one of `inside` close, as those of the system do. */
function closeMenus(inside) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!inside || !menu.contains(inside)) menu.open = false;
  }
}

async function copyFrom(button) {
  const source = document.getElementById(button.dataset.copy);
  const failure = "Copying is blocked here. The text is selected: press Ctrl+C.";
  const done = await copy(source.textContent, { success: button.dataset.copied, failure, button });
  if (!done) getSelection().selectAllChildren(source);
}

// --- Masks ---------------------------------------------------------------------------------

function mask(field, button, hidden) {
  field.classList.toggle("masked", hidden);
  button?.setAttribute("aria-pressed", String(!hidden));
}

function toggle(button) {
  const field = document.getElementById(button.dataset.eye);
  const hidden = !field.classList.contains("masked");
  mask(field, button, hidden);
  say(hidden ? "Secret hidden." : "Secret shown.", "spoken");
  clearTimeout(button.timer);
  if (!hidden) button.timer = setTimeout(() => mask(field, button, true), EYE_SECONDS * 1000);
}

function maskAll() {
  for (const button of document.querySelectorAll("[data-eye]")) {
    mask(document.getElementById(button.dataset.eye), button, true);
  }
}

// --- The dialog ----------------------------------------------------------------------------

const face = () => dialog?.querySelector("[data-secret]");

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

/** Whether an answer is made for a dialog. Others, such as an error page, are never shown in one. */
const fitsDialog = (html) => parsed(html).querySelector("[data-dialog-content]") !== null;

function show(html) {
  dialog.innerHTML = html;
  changed = false;
  dialog.setAttribute("role", dialog.querySelector("[data-alert]") ? "alertdialog" : "dialog");
  if (!dialog.open) dialog.showModal();
  const first =
    dialog.querySelector("[data-error-summary]") && dialog.querySelector("[aria-invalid=true]");
  (first ?? dialog.querySelector("[autofocus]") ?? dialog.querySelector("#dialog-title"))?.focus();
}

/** The response, or null where the sign-in is over. */
async function load(address, options = {}) {
  const headers = { "X-Dialog": "1" };
  const answer = await fetch(address, { ...options, headers, cache: "no-store" });
  return answer.redirected ? null : { answer, html: await answer.text() };
}

/** For dialogs in which nothing was typed: to the sign-in and back to the dialog. */
function signIn() {
  const here = new URL(location.pathname, location);
  if (opener?.dataset.dialog) here.searchParams.set("dialog", opener.dataset.dialog);
  const next = encodeURIComponent(here.pathname + here.search);
  location.assign(`/accounts/login/?signed_out=page&next=${next}`);
}

/** The dialog stays open with what it holds. */
function saySignedOut() {
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

async function openDialog(link, address = link.href) {
  opener = link.closest("details.menu")?.querySelector("summary") ?? link;
  closeMenus();
  try {
    const got = await load(address);
    if (!got) return signIn();
    if (!got.answer.ok || !fitsDialog(got.html)) return location.assign(address);
    show(got.html);
  } catch {
    location.assign(address);
  }
}

function wipe() {
  for (const field of dialog?.querySelectorAll("[data-secret-value], [name=key]") ?? []) {
    field.value = "";
    field.removeAttribute("value");
  }
  tested = null;
}

function close() {
  const made = face()?.dataset ?? created;
  created = null;
  wipe();
  dialog.close();
  dialog.replaceChildren();
  if (made) {
    say(made.announce, "ok");
    refresh(made.keyId);
  } else {
    opener?.focus();
  }
}

/** Escape, Cancel and Done all come here: nothing unsaved or uncopied is dropped unasked. */
function askToClose() {
  const gate = dialog.querySelector("[data-gate]");
  if (gate && !face().dataset.copied) {
    gate.hidden = false;
    gate.querySelector("[data-gate-back]").focus();
    return;
  }
  const question = changed && dialog.querySelector("[data-guard]") && dialog.querySelector("[data-discard]");
  if (!question) return close();
  question.hidden = false;
  question.querySelector("[data-discard-not]").focus();
}

/** Fetches the part of the page that shows what was changed, and puts the focus on it.
 *  What else depends on it, such as whether there can be a further key, comes with it. */
async function refresh(newKey) {
  const part = document.querySelector("[data-fresh]");
  if (!part) return;
  document.querySelector("[data-message]:has([data-again])")?.remove();
  const address = new URL(location);
  address.searchParams.delete("dialog");
  if (newKey && part.id === "keys") address.searchParams.set("new", newKey);
  part.setAttribute("aria-busy", "true");
  let id = "";
  try {
    const answer = await fetch(address, { cache: "no-store" });
    id = answer.headers.get("X-Request-Id");
    const page = parsed(await answer.text());
    const fresh = document.adoptNode(page.getElementById(part.id));
    part.replaceWith(fresh);
    for (const also of document.querySelectorAll("[data-fresh-too]")) {
      also.replaceWith(page.getElementById(also.id) ?? "");
    }
    const heading = document.querySelector("#keys-heading") ?? document.querySelector("main h1");
    (fresh.querySelector("[data-new-name]") ?? heading).focus();
  } catch {
    part.removeAttribute("aria-busy");
    offerAgain(id);
  }
}

/** What is shown is old: says so, and how to try again. */
function offerAgain(id) {
  document.querySelector("[data-message]:has([data-again])")?.remove();
  const text = `We couldn't load your keys. Try again.${id ? ` (Request id ${id}.)` : ""}`;
  const button = document.createElement("button");
  button.className = "button";
  button.dataset.again = "";
  button.textContent = "Retry";
  say(text, "bad", pageStatus).querySelector("p").append(" ", button);
}

async function submit(form, button) {
  if (form.dataset.sending) return;
  form.dataset.sending = "1";
  const pressed = button ?? form.querySelector("[data-submit], button.primary");
  const label = pressed?.innerHTML;
  pressed?.setAttribute("aria-busy", "true");
  if (pressed && form.dataset.busy && !pressed.name) pressed.textContent = form.dataset.busy;
  try {
    if (form.dataset.signedOut && (await renewToken(form))) delete form.dataset.signedOut;
    const body = new URLSearchParams(new FormData(form, button));
    const got = await load(form.action, { method: "POST", body });
    const done = got && parsed(got.html).querySelector("[data-done]");
    if (done) return finish(done);
    if (got && fitsDialog(got.html)) {
      show(got.html);
      changed = true; // what was typed is in it, refused or to be confirmed
      return;
    }
    await sayRefusal(form, got?.answer);
  } catch {
    say(UNREACHABLE, "bad");
  }
  delete form.dataset.sending;
  pressed?.removeAttribute("aria-busy");
  if (pressed) pressed.innerHTML = label;
}

/** Nothing was changed: says why, and leaves the form as it is. */
async function sayRefusal(form, answer) {
  const renewed = answer?.status === 403 && (await renewToken(form));
  if (!answer || renewed === null) {
    form.dataset.signedOut = "1";
    saySignedOut();
  } else if (renewed) {
    say(RENEWED, "warn");
  } else {
    say(`The server could not do this (request id ${answer.headers.get("X-Request-Id")}).`, "bad");
  }
}

/** A sign-in in another tab makes the form's token void: takes the new one, if there is one.
 *  Null where the sign-in is over. */
async function renewToken(form) {
  const field = form.elements.csrfmiddlewaretoken;
  const got = await load(form.action);
  if (!got) return null;
  const token = parsed(got.html).querySelector("[data-dialog-content] [name=csrfmiddlewaretoken]");
  if (!field || !token) return false;
  field.value = token.value;
  return true;
}

function finish(done) {
  created = null;
  wipe();
  dialog.close();
  dialog.replaceChildren();
  say(done.textContent, done.dataset.done, pageStatus);
  refresh();
}

// --- The secret ----------------------------------------------------------------------------

async function copySecret(button) {
  const field = dialog.querySelector("[data-secret-value]");
  const label = button.querySelector("span");
  if (await copy(field.value, { success: "Secret copied.", failure: BLOCKED, button })) {
    face().dataset.copied = "1";
    label.textContent = "Copied";
    setTimeout(() => (label.textContent = "Copy secret"), 2000);
    return;
  }
  mask(field, dialog.querySelector("[data-eye]"), false);
  field.focus();
  field.select();
}

async function testSecret(button) {
  const secret = dialog.querySelector("[data-secret-value]").value;
  if (!face().dataset.copied) return askToClose();
  const made = face().dataset;
  const got = await load(button.dataset.testSecret);
  if (!got) return saySignedOut();
  show(got.html);
  created = { ...made };
  dialog.querySelector("[name=key]").value = secret;
}

// --- The test ------------------------------------------------------------------------------

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function checksum(text) {
  let crc = -1;
  for (const character of text) {
    crc ^= character.charCodeAt(0);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let rest = ~crc >>> 0;
  let digits = "";
  for (let place = 0; place < 6; place += 1) {
    digits = DIGITS[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

function problemWith(secret, brand) {
  if (!secret) return "Paste an API key.";
  if (!/^[a-z][a-z0-9]{0,15}_(live|test)_[0-9A-Za-z]{40}$/.test(secret)) {
    return `That doesn't look like one of our keys. Keys start with ${brand}_.`;
  }
  if (checksum(secret.slice(0, -6)) !== secret.slice(-6)) {
    return "This key has a typo: its check characters don't match.";
  }
  return "";
}

/** Moments of the API, written as the pages write them: 4 Nov 2026, 14:05 UTC. */
function withStamps(text) {
  return text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (moment) => {
    const parts = new Date(moment).toUTCString().match(/(\d+) (\w+) (\d+) (\d\d:\d\d)/);
    return parts ? `${Number(parts[1])} ${parts[2]} ${parts[3]}, ${parts[4]} UTC` : moment;
  });
}

function verdict(status, text, headers) {
  let error = {};
  try {
    error = JSON.parse(text).error ?? {};
  } catch {
    // Not JSON: the status says what can be said.
  }
  if (status === 200) return "The key works.";
  if (status === 401) {
    const told = error.code?.startsWith("key_");
    return told ? `Rejected: ${withStamps(error.message)}` : "Rejected: the key is unknown, expired, disabled or deleted.";
  }
  if (status === 403) return error.message ?? "The key works but lacks permission for this request.";
  if (status === 404) return "The key works, but not for this account.";
  if (status === 429) {
    const seconds = headers.get("Retry-After");
    return `Rate limit reached. Retry ${seconds ? `after ${seconds} s` : "in a moment"}.`;
  }
  if (status >= 500) return `The API failed (request id ${headers.get("X-Request-Id")}).`;
  return "The API answered something unexpected.";
}

async function runTest(form) {
  const run = form.querySelector("[data-run]");
  if (run.abort) return run.abort.abort("cancelled");
  clearResult(form);
  const field = form.querySelector("[name=key]");
  const secret = field.value.trim().replace(/^bearer\s+/i, "");
  const problem = problemWith(secret, form.dataset.brand);
  const line = form.querySelector("[data-test-error]");
  line.textContent = problem;
  field.toggleAttribute("aria-invalid", false);
  if (problem) {
    field.setAttribute("aria-invalid", "true");
    field.focus();
    return;
  }
  run.abort = new AbortController();
  run.textContent = "Cancel";
  say("Sending…", "spoken");
  const timer = setTimeout(() => run.abort?.abort("late"), LONGEST_TEST);
  const result = await callApi(form, secret, run.abort.signal);
  clearTimeout(timer);
  run.abort = null;
  run.textContent = "Run test";
  if (form.isConnected) showResult(form, secret, result);
}

async function callApi(form, secret, signal) {
  const started = performance.now();
  try {
    const answer = await fetch(form.dataset.base + form.dataset.testPath, {
      headers: { Authorization: `Bearer ${secret}` },
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      signal,
    });
    const text = await answer.text();
    const milliseconds = Math.round(performance.now() - started);
    const words = verdict(answer.status, text, answer.headers);
    const summary = `${answer.status} ${answer.statusText} · ${milliseconds} ms · ${words}`;
    return { ok: answer.ok, summary, text, id: answer.headers.get("X-Request-Id") };
  } catch {
    const reasons = { late: "No answer within 15 s.", cancelled: "Cancelled." };
    return { ok: false, summary: reasons[signal.reason] ?? "The request didn't reach the API.", text: "", id: "" };
  }
}

/** The result before is of another key, and so are the commands that its buttons copy. */
function clearResult(form) {
  tested = null;
  form.parentElement.querySelector("[data-result]").hidden = true;
  clear();
}

function showResult(form, secret, { ok, summary, text, id }) {
  const result = form.parentElement.querySelector("[data-result]");
  const line = result.querySelector("[data-line]");
  const url = form.dataset.base + form.dataset.testPath;
  const command = (key) => `curl "${url}" -H "Authorization: Bearer ${key}"`;
  result.hidden = false;
  line.className = `notice ${ok ? "ok" : "bad"}`;
  line.textContent = summary;
  result.querySelector("[data-request-id]").textContent = id ? `Request id: ${id}` : "";
  const { first, shown, total } = firstCharacters(text, SHOWN);
  result.querySelector("[data-body]").textContent = first;
  result.querySelector("[data-extent]").textContent =
    `Showing ${inWords(shown)} of ${inWords(total)} characters.`;
  result.querySelector("[data-command]").textContent = command(`${secret.slice(0, -36)}••••`);
  tested = { text, runnable: command(secret), safe: command("$API_KEY") };
  line.scrollIntoView({ block: "nearest" });
  say(summary, "spoken");
}

const SELECT_IT = "Copying is blocked here. Select the text and press Ctrl+C.";
const copyResult = (button, text, success) => copy(text, { success, failure: SELECT_IT, button });

// --- Searching -----------------------------------------------------------------------------

/** A whole secret stays here: what is searched for goes into addresses and the history. */
function cutSecret(field) {
  const cut = field.value.replace(/(_(?:live|test)_[0-9A-Za-z]{4})[0-9A-Za-z]{4,}/g, "$1");
  if (cut === field.value) return;
  field.value = cut;
  say("That was a secret. Only its prefix is searched for.", "warn", pageStatus);
}

// --- Selecting keys ------------------------------------------------------------------------

const selectable = () => [...document.querySelectorAll("[data-select]")];

function selectAll(checked) {
  for (const box of selectable()) box.checked = checked;
  showSelection();
}

/** The number in the bar and on its button, which CSS shows while something is selected. */
function showSelection() {
  const bulk = document.querySelector("[data-bulk]");
  if (!bulk) return;
  const boxes = selectable();
  const count = boxes.filter((box) => box.checked).length;
  const keys = `${count} key${count === 1 ? "" : "s"}`;
  bulk.querySelector("[data-selected]").textContent = `${keys} selected`;
  bulk.querySelector("[data-bulk-label]").textContent = `Delete ${keys}`;
  document.querySelector("[data-selection]").textContent = `${keys} selected.`;
  const all = document.querySelector("[data-select-all]");
  all.checked = count === boxes.length;
  all.indeterminate = count > 0 && count < boxes.length;
}

function clearSelection() {
  selectAll(false);
  document.querySelector("[data-select-all]").focus();
}

// --- Wiring --------------------------------------------------------------------------------

const CLICKS = {
  "[data-copy]": copyFrom,
  "[data-copy-value]": copyValue,
  "[data-again]": () => refresh(),
  "[data-eye]": toggle,
  "[data-select-none]": clearSelection,
  "[data-secret-copy]": copySecret,
  "[data-test-secret]": testSecret,
  "[data-done-button]": () => askToClose(),
  "[data-gate-close]": () => close(),
  "[data-discard-all]": () => close(),
  "[data-discard-not]": () => {
    dialog.querySelector("[data-discard]").hidden = true;
    dialog.querySelector("[aria-invalid=true], [data-guard] input:not([type=hidden])")?.focus();
  },
  "[data-gate-back]": () => {
    dialog.querySelector("[data-gate]").hidden = true;
    dialog.querySelector("[data-secret-copy]").focus();
  },
  "[data-copy-json]": (b) => tested && copyResult(b, tested.text, "Full response copied."),
  "[data-copy-curl]": (b) =>
    tested && copyResult(b, tested.runnable, "Command copied. It contains your key."),
  "[data-copy-safe]": (b) => tested && copyResult(b, tested.safe, "Command copied, without your key."),
};

document.addEventListener("click", (event) => {
  closeMenus(event.target);
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  const link = event.target.closest("a[data-dialog]");
  if (link && dialog && plain) {
    event.preventDefault();
    openDialog(link);
    return;
  }
  if (dialog?.open && event.target.closest("[data-close]")) {
    event.preventDefault();
    askToClose();
    return;
  }
  for (const [selector, act] of Object.entries(CLICKS)) {
    const found = event.target.closest(selector);
    if (found) act(found);
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-test]")) {
    event.preventDefault();
    runTest(form);
  } else if (form.closest("#dialog")) {
    event.preventDefault();
    submit(form, event.submitter);
  } else if (form.matches("[data-bulk]")) {
    event.preventDefault();
    openDialog(event.submitter, `${form.action}?${new URLSearchParams(new FormData(form))}`);
  } else if (form.method === "post") {
    if (form.dataset.sending) event.preventDefault();
    form.dataset.sending = "1";
  }
});

// Before htmx hears of it.
document.addEventListener(
  "input",
  ({ target }) => target.matches('form[method="get"] input') && cutSecret(target),
  true,
);

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-secret-value]")) event.target.select();
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

/** Whoever fills in a choice of their own has chosen it. */
function chooseCustom({ form, name, value }) {
  const choice = { scopes: "permissions", expires_on: "expires" }[name];
  if (value && form?.elements[choice]) form.elements[choice].value = "custom";
}

document.addEventListener("change", (event) => {
  chooseCustom(event.target);
  if (event.target.matches("[data-select-all]")) selectAll(event.target.checked);
  else if (event.target.matches("[data-select]")) showSelection();
});

dialog?.addEventListener("input", (event) => {
  changed ||= event.target.form?.matches("[data-guard]");
});

// Chromium lets a second Escape close a dialog whatever `cancel` says, unless the key is taken.
dialog?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.preventDefault();
  askToClose();
});

dialog?.addEventListener("cancel", (event) => {
  event.preventDefault();
  askToClose();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) maskAll();
});

window.addEventListener("beforeunload", (event) => {
  if (face() && !face().dataset.copied) event.preventDefault();
});

window.addEventListener("pagehide", () => {
  wipe();
  for (const place of document.querySelectorAll("[data-plain-secret]")) place.textContent = "";
});

window.addEventListener("pageshow", (event) => {
  for (const form of document.querySelectorAll("[data-sending]")) delete form.dataset.sending;
  if (selectable().some((box) => box.checked)) showSelection(); // as the browser has restored them
  if (!event.persisted || !dialog?.open) return;
  dialog.close();
  dialog.replaceChildren();
});

for (const failure of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(failure, () => offerAgain());
}

let offline = null;
function showOffline() {
  offline?.remove();
  offline = navigator.onLine ? null : say(OFFLINE, "warn", pageStatus);
}
if (dialog) {
  showOffline();
  window.addEventListener("online", showOffline);
  window.addEventListener("offline", showOffline);
}

document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.response?.status >= 400) return; // nothing was swapped
  const count = document.querySelector("#keys [data-count]");
  if (count) say(count.textContent, "spoken", pageStatus);
});

const wanted = new URLSearchParams(location.search).get("dialog");
const deepLink = wanted && document.querySelector(`a[data-dialog="${CSS.escape(wanted)}"]`);
if (deepLink && dialog) openDialog(deepLink);
