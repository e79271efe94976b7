// Samples in several languages: choosing one shows it in every sample and remembers it.

import { onClick } from "./events.js";

const YEAR = 31_536_000;
const KEYS = { ArrowRight: 1, ArrowLeft: -1 };

function choose(tab) {
  const { language } = tab.dataset;
  const before = tab.getBoundingClientRect().top;
  for (const other of document.querySelectorAll("[data-samples] [role=tab]")) {
    const chosen = other.dataset.language === language;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
  }
  for (const panel of document.querySelectorAll("[data-samples] [role=tabpanel]")) {
    panel.classList.toggle("is-chosen", panel.dataset.language === language);
  }
  // Samples above have changed their height: the reader's own stays where it was.
  if (!tab.closest("dialog")) scrollBy({ top: tab.getBoundingClientRect().top - before, behavior: "instant" });
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `guide_language=${language}; path=/docs/; max-age=${YEAR}; samesite=lax${secure}`;
}

function move(event) {
  const tabs = [...event.target.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const rtl = getComputedStyle(event.target).direction === "rtl" ? -1 : 1;
  const step = (KEYS[event.key] ?? 0) * rtl;
  const next = { Home: tabs[0], End: tabs.at(-1) }[event.key];
  const tab = next ?? (step && tabs.at((tabs.indexOf(event.target) + step) % tabs.length));
  if (!tab) return;
  event.preventDefault();
  choose(tab);
  tab.focus();
}

onClick("[data-samples] [role=tab]", choose);

document.addEventListener("keydown", (event) => {
  if (event.target.matches?.("[data-samples] [role=tab]")) move(event);
});
