// The browser's Back button closes an open dialog instead of leaving its page.

let isEntry = false;
let ask = () => true;

/** `close` is called by the Back button and returns whether the dialog is closed. */
export function closeWithBack(close) {
  ask = close;
}

/** A dialog was opened: it becomes an entry of the history. */
export function entered() {
  if (isEntry) return;
  isEntry = true;
  history.pushState({ dialog: true }, "");
}

/** The dialog was closed in another way: its entry goes too. */
export function left() {
  if (!isEntry) return;
  isEntry = false;
  history.back();
}

window.addEventListener("popstate", () => {
  if (!isEntry) return;
  isEntry = false;
  if (!ask()) entered();
});
