// Messages about what was just done, over the page or its dialog wherever it is scrolled to.
// Passing ones go away; those to act on stay until they are dismissed.

const SECONDS = 8;
/** Successes and plain news. A spoken one is for screen readers: what it says is seen elsewhere. */
const PASSING = new Set(["ok", "", "spoken"]);

document.documentElement.classList.add("js");

/** The page's own live region. */
export const pageStatus = document.querySelector("#page-status");

/** The live region that is read: a dialog makes the rest of the page inert. */
const current = () => document.querySelector("dialog[open] [data-messages]") ?? pageStatus;

/** Announces `text` as "ok", "warn", "bad", "spoken" or, without a kind, as news. */
export function say(text, kind = "", place = current()) {
  if (!place) return null;
  clear(place);
  const message = document.createElement("div");
  const line = document.createElement("p");
  line.textContent = text;
  message.append(line);
  message.dataset.message = kind;
  message.className = kind === "spoken" ? "visually-hidden" : `notice message ${kind}`;
  if (kind !== "spoken") equip(message);
  place.append(message);
  return message;
}

/** Removes what is passing, and what would be said a second time. */
export function clear(place = current()) {
  for (const message of place?.querySelectorAll("[data-message]") ?? []) {
    if (PASSING.has(message.dataset.message)) message.remove();
  }
}

function equip(message) {
  const back = document.activeElement;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "icon-button";
  button.setAttribute("aria-label", "Dismiss");
  button.textContent = "×";
  button.addEventListener("click", () => {
    message.remove();
    const to = back?.isConnected && back !== document.body ? back : document.querySelector("#main");
    to?.focus({ preventScroll: true });
  });
  message.append(button);
  if (PASSING.has(message.dataset.message)) leaveLater(message);
}

/** Not while it is pointed at or holds the focus, and not unseen in another tab. */
function leaveLater(message) {
  setTimeout(() => {
    if (document.hidden || message.matches(":hover, :focus-within")) leaveLater(message);
    else message.remove();
  }, SECONDS * 1000);
}

for (const message of document.querySelectorAll("#page-status [data-message]")) equip(message);
