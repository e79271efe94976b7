// Searches the list of keys while the user types.

import { offerRetry } from "./fresh.js";
import { pageStatus, say } from "./messages.js";

/** A whole secret stays here: the search goes into URLs and the browser's history. */
function cutSecret(field) {
  const cut = field.value.replace(/(_(?:live|test)_[0-9A-Za-z]{4})[0-9A-Za-z]{4,}/g, "$1");
  if (cut === field.value) return;
  field.value = cut;
  say("That was a secret. Only its prefix is searched for.", "warn", pageStatus);
}

// While it is captured, which is before htmx sees it.
document.addEventListener(
  "input",
  ({ target }) => target.matches('form[method="get"] input') && cutSecret(target),
  true,
);

for (const failure of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(failure, () => offerRetry());
}

document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.response?.status >= 400) return; // nothing was swapped
  const count = document.querySelector("#keys [data-count]");
  if (count) say(count.textContent, "spoken", pageStatus);
});
