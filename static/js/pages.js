// Turns links to forms into dialogs and looks after secrets while they are on the page.
// Every page works without it. What holds a secret is fetched and dropped here alone.

const dialog = document.querySelector("#dialog");
const pageStatus = document.querySelector("#page-status");
const UNREACHABLE =
  "We couldn't reach the server, so we don't know whether this was done. Check the list before you try again.";
const BLOCKED = "Copying is blocked here. The key is selected: press Ctrl+C.";
const SHOWN = 800;
const EYE_SECONDS = 30;
const LONGEST_TEST = 15_000;
let opener = null;
let changed = false;
let tested = null;

document.documentElement.classList.add("js");

function say(text, place = dialog?.open ? dialog.querySelector("[data-status]") : pageStatus) {
  if (!place) return;
  const line = document.createElement("p");
  line.className = "notice";
  line.textContent = text;
  place.replaceChildren(line);
}

// --- Copying -------------------------------------------------------------------------------

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

async function copyValue(button) {
  const value = button.dataset.copyValue;
  closeMenus();
  say((await copy(value)) ? button.dataset.copied : `Copying is blocked here. It is ${value}.`);
}

/** Menus other than the one of `inside` close, as those of the system do. */
function closeMenus(inside) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!inside || !menu.contains(inside)) menu.open = false;
  }
}

async function copyFrom(button) {
  const source = document.getElementById(button.dataset.copy);
  if (await copy(source.textContent)) return say(button.dataset.copied);
  getSelection().selectAllChildren(source);
  say("Copying is blocked here. The text is selected: press Ctrl+C.");
}

// --- Masks ---------------------------------------------------------------------------------

function mask(field, button, hidden) {
  field.type = hidden ? "password" : "text";
  button?.setAttribute("aria-pressed", String(!hidden));
}

function toggle(button) {
  const field = document.getElementById(button.dataset.eye);
  const hidden = field.type === "text";
  mask(field, button, hidden);
  say(hidden ? "Secret hidden." : "Secret shown.");
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

function show(html) {
  dialog.innerHTML = html;
  changed = false;
  dialog.setAttribute("role", dialog.querySelector("[data-alert]") ? "alertdialog" : "dialog");
  if (!dialog.open) dialog.showModal();
  const first =
    dialog.querySelector("[data-error-summary]") && dialog.querySelector("[aria-invalid=true]");
  (first ?? dialog.querySelector("[autofocus]") ?? dialog.querySelector("#dialog-title"))?.focus();
}

async function load(address, options = {}) {
  const headers = { "X-Dialog": "1" };
  const answer = await fetch(address, { ...options, headers, cache: "no-store" });
  if (answer.redirected) {
    const here = new URL(location.pathname, location);
    if (opener?.dataset.dialog) here.searchParams.set("dialog", opener.dataset.dialog);
    location.assign(`/accounts/login/?next=${encodeURIComponent(here.pathname + here.search)}`);
    return null;
  }
  return { answer, html: await answer.text() };
}

async function openDialog(link) {
  opener = link.closest("details.menu")?.querySelector("summary") ?? link;
  closeMenus();
  try {
    const got = await load(link.href);
    if (!got) return;
    if (!got.answer.ok) return location.assign(link.href);
    show(got.html);
  } catch {
    location.assign(link.href);
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
  const made = face()?.dataset;
  wipe();
  dialog.close();
  dialog.replaceChildren();
  if (made) {
    say(made.announce);
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
  if (changed && dialog.querySelector("[data-guard]") && !confirm("Discard this key?")) return;
  close();
}

/** Fetches the part of the page that shows what was changed, and puts the focus on it.
 *  What else depends on it, such as whether there can be a further key, comes with it. */
async function refresh(newKey) {
  const part = document.querySelector("[data-fresh]");
  if (!part) return;
  const address = new URL(location);
  address.searchParams.delete("dialog");
  if (newKey && part.id === "keys") address.searchParams.set("new", newKey);
  part.setAttribute("aria-busy", "true");
  let id = "";
  try {
    const answer = await fetch(address, { cache: "no-store" });
    id = answer.headers.get("X-Request-Id");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
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
  say(`We couldn't load your keys. Try again.${id ? ` (Request id ${id}.)` : ""}`, pageStatus);
  const button = document.createElement("button");
  button.className = "button";
  button.dataset.again = "";
  button.textContent = "Retry";
  pageStatus.firstChild.append(" ", button);
}

async function submit(form, button) {
  if (form.dataset.sending) return;
  form.dataset.sending = "1";
  const pressed = button ?? form.querySelector("[data-submit], button.primary");
  const label = pressed?.innerHTML;
  pressed?.setAttribute("aria-busy", "true");
  if (pressed && form.dataset.busy && !pressed.name) pressed.textContent = form.dataset.busy;
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const got = await load(form.action, { method: "POST", body });
    if (!got) return;
    const done = new DOMParser().parseFromString(got.html, "text/html").querySelector("[data-done]");
    if (done) return finish(done);
    if (got.answer.status < 500) return show(got.html);
    say(`The server could not do this (request id ${got.answer.headers.get("X-Request-Id")}).`);
  } catch {
    say(UNREACHABLE);
  }
  delete form.dataset.sending;
  pressed?.removeAttribute("aria-busy");
  if (pressed) pressed.innerHTML = label;
}

function finish(done) {
  wipe();
  dialog.close();
  dialog.replaceChildren();
  say(done.textContent, pageStatus);
  refresh();
}

// --- The secret ----------------------------------------------------------------------------

async function copySecret(button) {
  const field = dialog.querySelector("[data-secret-value]");
  const label = button.querySelector("span");
  if (await copy(field.value)) {
    face().dataset.copied = "1";
    label.textContent = "Copied";
    setTimeout(() => (label.textContent = "Copy secret"), 2000);
    return say("Secret copied.");
  }
  mask(field, dialog.querySelector("[data-eye]"), false);
  field.focus();
  field.select();
  say(BLOCKED);
}

async function testSecret(button) {
  const secret = dialog.querySelector("[data-secret-value]").value;
  if (!face().dataset.copied) return askToClose();
  const made = face().dataset;
  const got = await load(button.dataset.testSecret);
  if (!got) return;
  show(got.html);
  dialog.querySelector("[name=key]").value = secret;
  say(made.announce, pageStatus);
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
  say("Sending…", statusOf(form));
  const timer = setTimeout(() => run.abort?.abort("late"), LONGEST_TEST);
  const result = await callApi(form, secret, run.abort.signal);
  clearTimeout(timer);
  run.abort = null;
  run.textContent = "Run test";
  if (form.isConnected) showResult(form, secret, result);
}

const statusOf = (form) => form.closest("dialog")?.querySelector("[data-status]") ?? pageStatus;

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

function showResult(form, secret, { ok, summary, text, id }) {
  const result = form.parentElement.querySelector("[data-result]");
  const line = result.querySelector("[data-line]");
  const url = form.dataset.base + form.dataset.testPath;
  const command = (key) => `curl "${url}" -H "Authorization: Bearer ${key}"`;
  result.hidden = false;
  line.className = `notice ${ok ? "ok" : "bad"}`;
  line.textContent = summary;
  result.querySelector("[data-request-id]").textContent = id ? `Request id: ${id}` : "";
  result.querySelector("[data-body]").textContent = text.slice(0, SHOWN);
  const shown = Math.min(text.length, SHOWN).toLocaleString("en-US");
  result.querySelector("[data-extent]").textContent =
    `Showing ${shown} of ${text.length.toLocaleString("en-US")} characters.`;
  result.querySelector("[data-command]").textContent = command(`${secret.slice(0, -36)}••••`);
  tested = { text, runnable: command(secret), safe: command("$API_KEY") };
  say(summary, statusOf(form));
}

async function copyResult(button, text, success) {
  const place = button.closest("dialog")?.querySelector("[data-status]") ?? pageStatus;
  const blocked = "Copying is blocked here. Select the text and press Ctrl+C.";
  say((await copy(text)) ? success : blocked, place);
}

// --- Wiring --------------------------------------------------------------------------------

const CLICKS = {
  "[data-copy]": copyFrom,
  "[data-copy-value]": copyValue,
  "[data-again]": () => refresh(),
  "[data-eye]": toggle,
  "[data-secret-copy]": copySecret,
  "[data-test-secret]": testSecret,
  "[data-done-button]": () => askToClose(),
  "[data-gate-close]": () => close(),
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
  } else if (form.method === "post") {
    if (form.dataset.sending) event.preventDefault();
    form.dataset.sending = "1";
  }
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-secret-value]")) event.target.select();
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

dialog?.addEventListener("input", (event) => {
  changed ||= event.target.name !== "name";
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
  if (!event.persisted || !dialog?.open) return;
  dialog.close();
  dialog.replaceChildren();
});

for (const failure of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(failure, () => offerAgain());
}

const offline = document.querySelector("#offline");
const showOffline = () => (offline.hidden = navigator.onLine);
if (offline) {
  showOffline();
  window.addEventListener("online", showOffline);
  window.addEventListener("offline", showOffline);
}

document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.response?.status >= 400) return; // nothing was swapped
  const count = document.querySelector("#keys [data-count]");
  if (count) say(count.textContent, pageStatus);
});

const wanted = new URLSearchParams(location.search).get("dialog");
const deepLink = wanted && document.querySelector(`a[data-dialog="${CSS.escape(wanted)}"]`);
if (deepLink && dialog) openDialog(deepLink);
