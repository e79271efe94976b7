// “Try this request” in the guide. The key is in its field and in the request, and nowhere else.

import { firstCharacters, inWords } from "./characters.js";
import { onClick } from "./events.js";

const LONGEST = 15_000;
const SHOWN = 20_000;
/** What a header can carry; keys are made of less. */
const SENDABLE = /^[\x20-\x7e]+$/;
/** Form → what ends its request when the page is left. A second request waits for the first. */
const underWay = new Map();

const valueOf = (form, name) => form.elements[name]?.value.trim() ?? "";

/** What stands in the way of sending, or nothing. */
function problemWith(form) {
  if (!valueOf(form, "key")) return "Paste an API key.";
  if (!SENDABLE.test(valueOf(form, "key"))) return "That isn't a full API key: it has a character that keys don't have.";
  for (const name of ["account_id", "id"]) {
    if (form.elements[name] && !valueOf(form, name)) return `Fill in “${form.elements[name].labels[0].textContent}”.`;
  }
  try {
    if (form.elements.body) JSON.parse(form.elements.body.value);
  } catch {
    return "The body is not JSON.";
  }
  return "";
}

function addressOf(form) {
  return form.dataset.path
    .replace("{account_id}", encodeURIComponent(valueOf(form, "account_id")))
    .replace("{id}", encodeURIComponent(valueOf(form, "id")));
}

function requestOf(form, left) {
  const headers = { Authorization: `Bearer ${valueOf(form, "key").replace(/^bearer\s+/i, "")}` };
  const body = form.elements.body?.value;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return {
    method: form.dataset.method,
    headers,
    body,
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    signal: AbortSignal.any([left, AbortSignal.timeout(LONGEST)]),
  };
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The result line: its first part is the fact, in the color of what became of the request. */
function say(form, [fact, ...details], kind = "") {
  const line = form.querySelector("[data-line]");
  form.querySelector("[data-result]").className = fact ? `result ${kind}` : "";
  form.querySelector("[data-toggle]").hidden = true;
  line.replaceChildren();
  if (!fact) return;
  const icon = form.querySelector(`template[data-icon="${kind}"]`);
  if (icon) line.append(icon.content.cloneNode(true));
  line.append(part("b", fact), ...details.map((text) => part("span", text)));
}

function part(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function show(form, response, text, milliseconds) {
  const id = response.headers.get("X-Request-Id");
  const { first, total } = firstCharacters(readable(text), SHOWN);
  const parts = [`${response.status} ${response.statusText}`.trim(), `${milliseconds} ms`];
  parts.push(total > SHOWN ? `First ${inWords(SHOWN)} of ${inWords(total)} characters` : `${inWords(total)} characters`);
  if (id) parts.push(id);
  say(form, parts, response.ok ? "ok" : "bad");
  form.querySelector("[data-output]").textContent = first;
  showResponse(form, Boolean(first));
  form.querySelector("[data-toggle]").hidden = !first;
}

function showResponse(form, shown) {
  const button = form.querySelector("[data-toggle]");
  form.querySelector("[data-output]").hidden = !shown;
  button.setAttribute("aria-expanded", String(shown));
  button.lastElementChild.textContent = shown ? "Hide response" : "View response";
}

onClick("[data-try] [data-toggle]", ({ form, ariaExpanded }) => showResponse(form, ariaExpanded !== "true"));

function stop(form) {
  underWay.get(form)?.abort();
  underWay.delete(form);
}

async function send(form) {
  if (underWay.has(form)) return;
  form.querySelector("[data-output]").hidden = true;
  const problem = problemWith(form);
  if (problem) return say(form, [problem], "bad");
  say(form, ["Sending…"]);
  const left = new AbortController();
  underWay.set(form, left);
  const started = performance.now();
  try {
    const response = await fetch(addressOf(form), requestOf(form, left.signal));
    const text = await response.text();
    if (!left.signal.aborted) show(form, response, text, Math.round(performance.now() - started));
  } catch (error) {
    if (left.signal.aborted) return;
    const late = error.name === "TimeoutError";
    say(form, [late ? "No response within 15 s." : "The request didn't reach the API."], "bad");
  } finally {
    if (underWay.get(form) === left) underWay.delete(form);
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-try]")) return;
  event.preventDefault();
  send(event.target);
});

/** Nothing of a secret stays in a page that is kept for the way back. */
function wipe() {
  for (const form of document.querySelectorAll("[data-try]")) {
    stop(form);
    form.elements.key.value = "";
    form.querySelector("[data-output]").textContent = "";
    form.querySelector("[data-output]").hidden = true;
    say(form, []);
  }
}

window.addEventListener("pagehide", wipe);
window.addEventListener("pageshow", wipe);
