// Calls the API with a pasted key. The key goes into that call and into commands that the user copies.

import { firstCharacters, inWords } from "./characters.js";
import { copy } from "./copy.js";
import { onClick, onSubmit } from "./events.js";
import { problemWith } from "./key-format.js";
import { fill, verdict } from "./key-test-verdict.js";
import { clear, say } from "./messages.js";

const SECONDS = 15;
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
  if (run.abort) return run.abort.abort("cancelled");
  clearResult(form);
  const data = dataOf(form);
  const secret = form.elements.key.value.trim().replace(/^bearer\s+/i, "");
  const problem = problemWith(secret, data);
  showProblem(form, problem);
  if (problem) return;
  run.abort = new AbortController();
  run.textContent = "Cancel";
  say("Sending…", "spoken");
  const timer = setTimeout(() => run.abort?.abort("late"), SECONDS * 1000);
  const result = await callApi(data, secret, run.abort.signal);
  clearTimeout(timer);
  run.abort = null;
  run.textContent = "Run test";
  if (form.isConnected) showResult(form, data, secret, result);
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
    const words = verdict(data, response, text);
    const summary = `${response.status} ${response.statusText} · ${milliseconds} ms · ${words}`;
    return { ok: response.ok, summary, text, id };
  } catch {
    const reasons = { late: fill(data.sentences.late, { seconds: SECONDS }), cancelled: "Cancelled." };
    return { ok: false, summary: reasons[signal.reason] ?? data.sentences.unreached, text: "", id: "" };
  }
}

/** The previous result is of another key, and so are the commands that its buttons copy. */
function clearResult(form) {
  forget();
  resultOf(form).hidden = true;
  clear();
}

function showResult(form, data, secret, { ok, summary, text, id }) {
  const result = resultOf(form);
  const write = (name, words) => (result.querySelector(`[data-${name}]`).textContent = words);
  const line = result.querySelector("[data-line]");
  const command = (key) => data.command.replace("$API_KEY", () => key);
  const { first, shown, total } = firstCharacters(text, data.shown);
  const extent = { shown: inWords(shown), total: inWords(total) };
  result.hidden = false;
  line.className = `notice ${ok ? "ok" : "bad"}`;
  line.textContent = summary;
  write("request-id", id ? fill(data.sentences.request_id, { id }) : "");
  write("body", first);
  write("extent", fill(data.sentences.extent, extent));
  write("command", command(`${secret.slice(0, -data.hidden)}••••`));
  tested = { text, runnable: command(secret), safe: data.command };
  line.scrollIntoView({ block: "nearest" });
  say(summary, "spoken");
}

/** Copies a part of the last result with a button. */
function onCopy(selector, part, success) {
  onClick(selector, (button) => tested && copy(tested[part], { success, failure: SELECT_IT, button }));
}

onSubmit("[data-test]", runTest);
onCopy("[data-copy-json]", "text", "Full response copied.");
onCopy("[data-copy-curl]", "runnable", "Command copied. It contains your key.");
onCopy("[data-copy-safe]", "safe", "Command copied, without your key.");

document.querySelector("#dialog")?.addEventListener("close", forget);
window.addEventListener("pagehide", forget);
