// Shows a bar's numbers next to it: under the pointer, and with the arrow keys.

import { pageStatus, say } from "./messages.js";

const CHART = "[data-chart]";
const BAR = "[data-bar]";
const MARGIN_PIXELS = 8;

const barsOf = (chart) => [...chart.querySelectorAll(BAR)];
const current = (chart) => chart.querySelector(`${BAR}.is-current`);

/** Makes charts focusable. Their titles would show a second time next to the numbers. */
function equip() {
  for (const svg of document.querySelectorAll(`${CHART} svg:not([tabindex])`)) {
    svg.tabIndex = 0;
    for (const title of svg.querySelectorAll("title")) {
      title.parentElement.dataset.words = title.textContent.trim();
      title.remove();
    }
  }
}

function show(bar) {
  const chart = bar.closest(CHART);
  const tip = chart.querySelector("[data-tip]");
  current(chart)?.classList.remove("is-current");
  bar.classList.add("is-current");
  tip.querySelector("[data-tip-label]").textContent = bar.dataset.bar;
  for (const value of tip.querySelectorAll("[data-tip-value]")) {
    value.textContent = bar.dataset[value.dataset.tipValue];
  }
  tip.hidden = false;
  place(tip, bar, chart);
}

/** Right of the bar, or left of it where that is too narrow. */
function place(tip, bar, chart) {
  const edges = chart.getBoundingClientRect();
  const slot = bar.firstElementChild.getBoundingClientRect();
  const right = slot.right - edges.left + MARGIN_PIXELS;
  const left = slot.left - edges.left - MARGIN_PIXELS - tip.offsetWidth;
  const fits = right + tip.offsetWidth <= edges.width;
  tip.style.left = `${fits ? right : Math.max(0, left)}px`;
}

function hide(chart) {
  current(chart)?.classList.remove("is-current");
  chart.querySelector("[data-tip]").hidden = true;
}

function hideOthers(kept) {
  for (const chart of document.querySelectorAll(CHART)) {
    if (chart !== kept && !chart.contains(document.activeElement)) hide(chart);
  }
}

/** The bar that a key goes to; undefined for other keys. */
function target(chart, key) {
  const bars = barsOf(chart);
  const index = bars.indexOf(current(chart));
  const last = bars.length - 1;
  return bars[{ ArrowLeft: Math.max(index - 1, 0), ArrowRight: Math.min(index + 1, last), Home: 0, End: last }[key]];
}

document.addEventListener("pointerover", (event) => {
  const chart = event.target.closest(CHART);
  const bar = event.target.closest(BAR);
  hideOthers(chart);
  if (bar) show(bar);
});

document.addEventListener("keydown", (event) => {
  const chart = event.target.closest?.(CHART);
  if (!chart) return;
  if (event.key === "Escape") hide(chart);
  const bar = target(chart, event.key);
  if (!bar) return;
  event.preventDefault();
  show(bar);
  say(bar.dataset.words, "spoken", pageStatus);
});

document.addEventListener("focusin", (event) => {
  const chart = event.target.closest(CHART);
  if (chart && event.target.matches(":focus-visible") && !current(chart)) show(barsOf(chart).at(-1));
});

document.addEventListener("focusout", (event) => {
  const chart = event.target.closest(CHART);
  if (chart) hide(chart);
});

equip();
// Parts of the page that are fetched again bring new charts.
const main = document.querySelector("#main");
if (main) new MutationObserver(equip).observe(main, { childList: true, subtree: true });
