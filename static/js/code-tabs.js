// Shows one language of an example at a time, behind tabs. Without scripts all stand below each other.

import { copy } from "./copy.js";
import { onClick, onShown } from "./events.js";

const BLOCKED = "Copying is blocked here. Select the text and press Ctrl+C.";
const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

function prepare(part) {
  for (const code of part.querySelectorAll("[data-code-tabs]")) {
    const list = code.querySelector("[role=tablist]");
    if (list.children.length) continue;
    const panels = [...code.querySelectorAll("[data-tab]")];
    list.append(...panels.map((panel) => tabOf(panel, code.dataset.codeTabs)));
    choose(list.firstElementChild);
  }
}

function tabOf(panel, prefix) {
  const tab = document.createElement("button");
  tab.type = "button";
  tab.role = "tab";
  tab.id = `${prefix}-${panel.dataset.tab}`;
  tab.textContent = panel.dataset.tab;
  panel.id = `${tab.id}-panel`;
  panel.role = "tabpanel";
  panel.setAttribute("aria-labelledby", tab.id);
  tab.setAttribute("aria-controls", panel.id);
  return tab;
}

function choose(tab) {
  for (const other of tab.parentElement.children) {
    const isChosen = other === tab;
    other.setAttribute("aria-selected", String(isChosen));
    other.tabIndex = isChosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !isChosen;
  }
}

onShown(prepare);
onClick("[data-code-tabs] [role=tab]", choose);
onClick("[data-copy-tab]", (button) => {
  const panel = button.closest("[data-code-tabs]").querySelector("[data-tab]:not([hidden])");
  copy(panel.textContent, { success: button.dataset.copied, failure: BLOCKED, button });
});

document.addEventListener("keydown", (event) => {
  const tab = event.key in STEPS && event.target.closest?.("[data-code-tabs] [role=tab]");
  if (!tab) return;
  event.preventDefault();
  const tabs = [...tab.parentElement.children];
  const step = STEPS[event.key] * (tab.matches(":dir(rtl)") ? -1 : 1);
  const next = tabs.at((tabs.indexOf(tab) + step) % tabs.length);
  choose(next);
  next.focus();
});
