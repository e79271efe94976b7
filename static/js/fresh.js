// Fetches the part of a page that shows what was changed.

import { onClick } from "./events.js";
import { parse, signIn } from "./fragments.js";
import { pageStatus, say } from "./messages.js";

/** Fetches the part again after a change, and puts the focus on the new key or the heading. */
export async function refresh(newKey) {
  const url = new URL(location);
  url.searchParams.delete("dialog");
  url.searchParams.delete("of");
  if (newKey && document.querySelector("#keys[data-fresh]")) url.searchParams.set("new", newKey);
  const fresh = await fetchPart(url);
  if (!fresh) return;
  const heading = document.querySelector("#keys-heading") ?? document.querySelector("main h1");
  (fresh.querySelector("[data-new-name]") ?? heading).focus();
}

/** Replaces the part by the one of the page at `url`. What else depends on it, such as whether there can
 *  be another key, comes with it. Null if there is none, or if it cannot be fetched, which is said. */
export async function fetchPart(url, signal) {
  const part = document.querySelector("[data-fresh]");
  if (!part) return null;
  removeOffer();
  part.setAttribute("aria-busy", "true");
  let id = "";
  try {
    const response = await fetch(url, { cache: "no-store", signal });
    if (response.redirected) {
      signIn(url);
      return null;
    }
    id = response.headers.get("X-Request-Id");
    return replace(part, parse(await response.text()));
  } catch {
    if (signal?.aborted) return null;
    part.removeAttribute("aria-busy");
    offerRetry(id);
    return null;
  }
}

export function replace(part, page) {
  const fresh = document.adoptNode(page.getElementById(part.id));
  part.replaceWith(fresh);
  for (const dependent of document.querySelectorAll("[data-fresh-too]")) {
    const its = page.getElementById(dependent.id);
    if (its && dependent.matches("form")) renew(dependent, its);
    else dependent.replaceWith(its ?? "");
  }
  return fresh;
}

/** A form stays with what is typed and the focus; its choices, with their numbers, are renewed. */
function renew(form, fresh) {
  form.hidden = fresh.hidden;
  for (const select of form.querySelectorAll("select")) {
    const { value } = select;
    select.replaceChildren(...(fresh.querySelector(`#${select.id}`)?.children ?? []));
    select.value = value;
  }
}

const removeOffer = () => document.querySelector("[data-message]:has([data-again])")?.remove();

/** Says that what is shown is old, with a button to try again. */
function offerRetry(id) {
  removeOffer();
  const text = `We couldn't load your keys. Try again.${id ? ` (Request ID ${id}.)` : ""}`;
  const button = document.createElement("button");
  button.className = "button";
  button.dataset.again = "";
  button.textContent = "Retry";
  say(text, "bad", pageStatus).querySelector("p").append(" ", button);
}

onClick("[data-again]", () => refresh());
