// Where a navigation is one line that scrolls sideways, as on phones, shows the current page in it.

for (const bar of document.querySelectorAll(".tabs, .sections")) {
  const current = bar.querySelector("[aria-current]");
  if (!current || bar.scrollWidth <= bar.clientWidth) continue;
  const [outer, inner] = [bar, current].map((element) => element.getBoundingClientRect());
  bar.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
}
