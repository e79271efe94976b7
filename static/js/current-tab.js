// Where a navigation is one line that scrolls sideways, as on phones, shows the current page in it,
// and says at which of its edges more follows.

function showCurrent(bar) {
  const current = bar.querySelector("[aria-current]");
  if (!current || bar.scrollWidth <= bar.clientWidth) return;
  const [outer, inner] = [bar, current].map((element) => element.getBoundingClientRect());
  bar.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
}

function markEdges(bar) {
  const hidden = bar.scrollWidth - bar.clientWidth;
  const passed = Math.abs(bar.scrollLeft); // negative where lines run from right to left
  bar.toggleAttribute("data-before", passed > 1);
  bar.toggleAttribute("data-after", hidden - passed > 1);
}

// Also after a change of width, as when a phone is turned.
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    showCurrent(target);
    markEdges(target);
  }
});

for (const bar of document.querySelectorAll(".tabs, .sections")) {
  showCurrent(bar);
  observer.observe(bar);
  bar.addEventListener("scroll", () => markEdges(bar), { passive: true });
}
