// A deletion that asks for a name is pale until the name is typed.

import { onShown } from "./events.js";

const normal = (field) => field.value.trim();

/** Whether the field holds what is asked for. The word “delete” may be in any case, names may not. */
function matches(field) {
  const { expected } = field.dataset;
  const typed = normal(field);
  return typed === expected || (expected === "delete" && typed.toLowerCase() === expected);
}

function update(field) {
  const button = field.form?.querySelector("[data-submit]");
  const off = !matches(field);
  button?.classList.toggle("is-off", off);
  if (off) button?.setAttribute("aria-disabled", "true");
  else button?.removeAttribute("aria-disabled");
}

onShown((part) => {
  for (const field of part.querySelectorAll("[data-expected]")) update(field);
});

document.addEventListener("input", ({ target }) => {
  if (target.matches("[data-expected]")) update(target);
});

/** Before any other listener: a button that is unavailable leads to what it waits for. */
document.addEventListener(
  "submit",
  (event) => {
    const field = event.target.querySelector("[data-expected]");
    if (!field || matches(field) || !event.submitter?.matches("[data-submit]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    field.focus();
  },
  { capture: true },
);
