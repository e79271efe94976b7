// Fetches the part of a page that shows what was changed.

import { onClick } from "./events.js";
import { parse } from "./fragments.js";
import { pageStatus, say } from "./messages.js";

/** Replaces the part and puts the focus on the new key or the heading.
 *  What else depends on it, such as whether there can be another key, comes with it. */
export async function refresh(newKey) {
  const part = document.querySelector("[data-fresh]");
  if (!part) return;
  removeOffer();
  const url = new URL(location);
  url.searchParams.delete("dialog");
  if (newKey && part.id === "keys") url.searchParams.set("new", newKey);
  part.setAttribute("aria-busy", "true");
  let id = "";
  try {
    const response = await fetch(url, { cache: "no-store" });
    id = response.headers.get("X-Request-Id");
    focusOn(replace(part, parse(await response.text())));
  } catch {
    part.removeAttribute("aria-busy");
    offerRetry(id);
  }
}

function replace(part, page) {
  const fresh = document.adoptNode(page.getElementById(part.id));
  part.replaceWith(fresh);
  for (const dependent of document.querySelectorAll("[data-fresh-too]")) {
    dependent.replaceWith(page.getElementById(dependent.id) ?? "");
  }
  return fresh;
}

function focusOn(fresh) {
  const heading = document.querySelector("#keys-heading") ?? document.querySelector("main h1");
  (fresh.querySelector("[data-new-name]") ?? heading).focus();
}

const removeOffer = () => document.querySelector("[data-message]:has([data-again])")?.remove();

/** Says that what is shown is old, with a button to try again. */
export function offerRetry(id) {
  removeOffer();
  const text = `We couldn't load your keys. Try again.${id ? ` (Request id ${id}.)` : ""}`;
  const button = document.createElement("button");
  button.className = "button";
  button.dataset.again = "";
  button.textContent = "Retry";
  say(text, "bad", pageStatus).querySelector("p").append(" ", button);
}

onClick("[data-again]", () => refresh());
