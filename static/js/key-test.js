// Calls the API with a pasted key. The key goes into that call and into commands that the user copies.

import { firstCharacters, inWords } from "./characters.js";
import { copy } from "./copy.js";
import { onClick, onSubmit } from "./events.js";
import { isJson, laidOut, showColored } from "./json-text.js";
import { problemWith } from "./key-format.js";
import { fill, verdict } from "./key-test-verdict.js";
import { clear, say } from "./messages.js";

const SECONDS = 15;
/** A second press within this time is the rest of a double click, and does not cancel. */
const DOUBLE_CLICK_MS = 600;
const SELECT_IT = "Copying is blocked here. Select the text and press Ctrl+C.";
/** The last response and its commands, one of which holds the key. */
let tested = null;

function forget() {
  tested = null;
}

/** What the server has written into the page: sentences, the format of keys, the URL to call. */
const dataOf = (form) => JSON.parse(form.querySelector("[type='application/json']").textContent);

const resultOf = (form) => form.parentElement.querySelector("[data-result]");

async function runTest(form) {
  const run = form.querySelector("[data-run]");
  if (run.abort) return cancel(run);
  clearResult(form);
  const data = dataOf(form);
  const secret = form.elements.key.value.trim().replace(/^bearer\s+/i, "");
  const problem = problemWith(secret, data);
  showProblem(form, problem);
  if (problem) return;
  const release = start(run);
  say("Sending…", "spoken");
  const timer = setTimeout(() => run.abort?.abort("late"), SECONDS * 1000);
  const result = await callApi(data, secret, run.abort.signal);
  clearTimeout(timer);
  release();
  if (form.isConnected) showResult(form, data, secret, result);
}

function cancel(run) {
  if (performance.now() - run.startedAt > DOUBLE_CLICK_MS) run.abort.abort("canceled");
}

/** The button cancels while the test runs, in the room that it has. Returns what undoes that. */
function start(run) {
  const before = [...run.childNodes];
  run.style.minInlineSize = `${run.offsetWidth}px`;
  run.abort = new AbortController();
  run.startedAt = performance.now();
  run.textContent = "Cancel";
  return () => {
    run.abort = null;
    run.replaceChildren(...before);
    run.style.minInlineSize = "";
  };
}

function showProblem(form, problem) {
  const field = form.elements.key;
  form.querySelector("[data-test-error]").textContent = problem;
  field.toggleAttribute("aria-invalid", false);
  if (!problem) return;
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

async function callApi(data, secret, signal) {
  const started = performance.now();
  try {
    const response = await fetch(data.url, {
      headers: { Authorization: `Bearer ${secret}` },
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      signal,
    });
    const text = await response.text();
    const milliseconds = Math.round(performance.now() - started);
    const id = response.headers.get("X-Request-Id");
    const status = [response.status, response.statusText].filter(Boolean).join(" ");
    const words = `${milliseconds} ms · ${verdict(data, response, text)}`;
    return { ok: response.ok, status, words, text, id, headers: shownHeaders(response, data.headers) };
  } catch {
    const { late, canceled, unreached } = data.sentences;
    const reasons = { late: fill(late, { seconds: SECONDS }), canceled };
    return { ok: false, status: "", words: reasons[signal.reason] ?? unreached, text: "", id: "", headers: "" };
  }
}

function shownHeaders({ headers }, names) {
  return names.flatMap((name) => (headers.has(name) ? `${name}: ${headers.get(name)}` : [])).join("\n");
}

/** The previous result is of another key, and so are the commands that its buttons copy. */
function clearResult(form) {
  forget();
  resultOf(form).hidden = true;
  clear();
}

function showResult(form, data, secret, { ok, status, words, text, id, headers }) {
  const result = resultOf(form);
  const find = (name) => result.querySelector(`[data-${name}]`);
  const command = (key) => data.command.replace("$API_KEY", () => key);
  result.hidden = false;
  find("verdict").className = `verdict ${ok ? "ok" : "bad"}`;
  find("line").replaceChildren(...(status ? [bold(status), " · "] : []), words);
  find("request").hidden = !id;
  find("request-id").textContent = id;
  find("headers").hidden = !headers;
  find("header-lines").textContent = headers;
  showColored(find("command"), command(`${secret.slice(0, -data.hidden)}••••••••`));
  tested = { text, whole: laidOut(text), runnable: command(secret), safe: data.command };
  showBody(result, data);
  find("verdict").scrollIntoView({ block: "nearest" });
  say([status, words].filter(Boolean).join(" · "), "spoken");
}

function bold(text) {
  const element = document.createElement("b");
  element.textContent = text;
  return element;
}

/** As many characters as the page promises, or all of them. */
function showBody(result, data, { all = false } = {}) {
  const { text, whole } = tested;
  const { first, shown, total } = firstCharacters(whole, all ? Infinity : data.shown);
  const isWhole = first === whole;
  const numbers = { shown: inWords(shown), total: inWords(total) };
  const extent = fill(data.sentences[isWhole ? "whole" : "extent"], numbers);
  result.querySelector("[data-response]").hidden = !text;
  result.querySelector("[data-extent]").textContent = isJson(text)
    ? extent
    : fill(data.sentences.not_json, { extent });
  result.querySelector("[data-show-all]").hidden = isWhole;
  showColored(result.querySelector("[data-body]"), first);
}

function showAll(button) {
  const result = button.closest("[data-result]");
  showBody(result, dataOf(result.parentElement.querySelector("[data-test]")), { all: true });
  result.querySelector("[data-body]").focus();
}

/** Copies a part of the last result with a button. */
function onCopy(selector, part, success) {
  onClick(selector, (button) => tested && copy(tested[part], { success, failure: SELECT_IT, button }));
}

onSubmit("[data-test]", runTest);
onClick("[data-show-all]", (button) => tested && showAll(button));
onCopy("[data-copy-json]", "whole", "Full response copied.");
onCopy("[data-copy-curl]", "runnable", "Command copied. It contains your key.");
onCopy("[data-copy-safe]", "safe", "Command copied, without your key.");

document.querySelector("#dialog")?.addEventListener("close", forget);
window.addEventListener("pagehide", forget);
