// Selects keys of the list, for what is done to several at a time.

import { openDialog } from "./dialog.js";
import { onClick } from "./events.js";

const boxes = () => [...document.querySelectorAll("[data-select]")];

function selectAll(checked) {
  for (const box of boxes()) box.checked = checked;
  showSelection();
}

/** The number in the bar and its buttons, which CSS shows while something is selected. */
function showSelection() {
  const bulk = document.querySelector("[data-bulk]");
  if (!bulk) return;
  const count = boxes().filter((box) => box.checked).length;
  const keys = `${count} key${count === 1 ? "" : "s"}`;
  bulk.querySelector("[data-selected]").textContent = `${count} selected`;
  for (const label of bulk.querySelectorAll("[data-bulk-keys]")) label.textContent = keys;
  document.querySelector("[data-selection]").textContent = `${keys} selected.`;
  for (const all of document.querySelectorAll("[data-select-all]")) {
    all.checked = count === boxes().length;
    all.indeterminate = count > 0 && count < boxes().length;
  }
}

function clearSelection() {
  selectAll(false);
  const visible = [...document.querySelectorAll("[data-select-all], [data-select]")];
  visible.find((box) => box.checkVisibility())?.focus();
}

onClick("[data-select-none]", clearSelection);

/** Opens the confirmation as a dialog. The export stays a download. */
document.addEventListener("submit", (event) => {
  const { target: form, submitter: button } = event;
  if (!form.matches("[data-bulk]") || button?.matches("[data-plain]")) return;
  event.preventDefault();
  const action = button.getAttribute("formaction") ?? form.action;
  openDialog(button, `${action}?${new URLSearchParams(new FormData(form))}`);
});

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-select-all]")) selectAll(target.checked);
  else if (target.matches("[data-select]")) showSelection();
});

window.addEventListener("pageshow", () => {
  if (boxes().some((box) => box.checked)) showSelection(); // as the browser has restored them
});
