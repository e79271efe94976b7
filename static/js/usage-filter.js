// Applies the filters of the Usage page as they are chosen. The URL follows.

import { fetchPart } from "./fresh.js";
import { pageStatus, say } from "./messages.js";

let running = new AbortController();

async function apply(form) {
  running.abort();
  running = new AbortController();
  const url = new URL(location.pathname, location);
  url.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.replaceState(history.state, "", url);
  const part = await fetchPart(url, running.signal);
  const count = part?.querySelector("[data-count]");
  if (count) say(count.textContent, "spoken", pageStatus);
}

document.addEventListener("change", ({ target }) => {
  const form = target.closest("[data-live-filter]");
  if (!form) return;
  target.classList.toggle("is-set", target.value !== "");
  apply(form);
});
