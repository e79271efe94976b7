// The secret that a dialog shows once: whether it was copied, and its removal from the page.

const dialog = document.querySelector("#dialog");
/** Data of the key whose secret this dialog showed before it showed the test. */
let before = null;

const shown = () => dialog?.querySelector("[data-secret]")?.dataset;

export const isUncopied = () => Boolean(shown() && !shown().copied);

export function setCopied() {
  shown().copied = "1";
}

/** The key whose secret this dialog shows or has shown: its id and what to announce. */
export const issuedKey = () => shown() ?? before;

export function remember(key) {
  before = key && { ...key };
}

export function wipe() {
  for (const field of dialog?.querySelectorAll("[data-secret-value], [name=key]") ?? []) {
    field.value = "";
    field.removeAttribute("value");
  }
}

window.addEventListener("beforeunload", (event) => {
  if (isUncopied()) event.preventDefault();
});

window.addEventListener("pagehide", () => {
  wipe();
  for (const place of document.querySelectorAll("[data-plain-secret]")) place.textContent = "";
});
