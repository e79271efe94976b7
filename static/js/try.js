// “Try this call” in the guide. The key is in its field and in the request, and nowhere else.

const LONGEST = 15_000;
const SHOWN = 20_000;

document.documentElement.classList.add("js");

const valueOf = (form, name) => form.elements[name]?.value.trim() ?? "";

/** What stands in the way of sending, or nothing. */
function problemWith(form) {
  if (!valueOf(form, "key")) return "Paste an API key.";
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

function requestOf(form) {
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
    signal: AbortSignal.timeout(LONGEST),
  };
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function send(form) {
  const line = form.querySelector("[data-line]");
  const output = form.querySelector("[data-output]");
  output.hidden = true;
  line.textContent = problemWith(form);
  if (line.textContent) return;
  line.textContent = "Sending…";
  const started = performance.now();
  try {
    const answer = await fetch(addressOf(form), requestOf(form));
    const text = await answer.text();
    const milliseconds = Math.round(performance.now() - started);
    const id = answer.headers.get("X-Request-Id");
    line.textContent = `${answer.status} ${answer.statusText} · ${milliseconds} ms · request id ${id}`;
    output.textContent = readable(text).slice(0, SHOWN);
    output.hidden = false;
  } catch (error) {
    line.textContent =
      error.name === "TimeoutError" ? "No answer within 15 s." : "The request didn't reach the API.";
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
    form.elements.key.value = "";
    form.querySelector("[data-output]").textContent = "";
    form.querySelector("[data-output]").hidden = true;
    form.querySelector("[data-line]").textContent = "";
  }
}

window.addEventListener("pagehide", wipe);
window.addEventListener("pageshow", wipe);
