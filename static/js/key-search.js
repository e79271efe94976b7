// Filters the list of keys while the user types or chooses.

import { onClick, onSubmit } from "./events.js";
import { fetchPart } from "./fresh.js";
import { pageStatus, say } from "./messages.js";

const PAUSE_MILLISECONDS = 300;
const FORM = "[data-live-search]";
let timer = null;
let running = new AbortController();

/** A whole secret stays here: the search goes into URLs and the browser's history. */
function cutSecret(field) {
  const cut = field.value.replace(/(_(?:live|test)_[0-9A-Za-z]{4})[0-9A-Za-z]{4,}/g, "$1");
  if (cut === field.value) return;
  field.value = cut;
  say("That was a secret. Only its prefix is searched for.", "warn", pageStatus);
}

/** Shows the keys that match, and gives the page the URL of this search. The latest one counts. */
async function search(form) {
  clearTimeout(timer);
  running.abort();
  running = new AbortController();
  const url = new URL(location.pathname, location);
  for (const [name, value] of new FormData(form)) {
    if (value) url.searchParams.append(name, value);
  }
  history.replaceState(history.state, "", url);
  const list = await fetchPart(url, running.signal);
  const count = list?.querySelector("[data-count]");
  if (count) say(count.textContent, "spoken", pageStatus);
}

/** Empties the filters, and leaves the order as it is. */
function clearFilters(link, event) {
  const form = document.querySelector(FORM);
  if (!form) return;
  event.preventDefault();
  for (const field of form.querySelectorAll("select, input:not([type=hidden])")) field.value = "";
  form.elements.q.focus();
  search(form);
}

function toggleFilters(button) {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  button.form.toggleAttribute("data-open", open);
}

document.addEventListener("input", ({ target }) => {
  if (target.matches('form[method="get"] input')) cutSecret(target);
  const form = target.closest(FORM);
  if (!form) return;
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE_MILLISECONDS, form);
});

document.addEventListener("keydown", ({ key, target }) => {
  if (key !== "Escape" || !target.matches(`${FORM} [type=search]`) || !target.value) return;
  target.value = "";
  search(target.form);
});

onClick("[data-clear-filters]", clearFilters);
onClick("[data-filter-toggle]", toggleFilters);
onSubmit(FORM, search);
