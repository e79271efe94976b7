// Marks the section that is being read in “On this page”.

const links = [...document.querySelectorAll("[data-toc] a")];
const headings = links.map((link) => document.getElementById(link.hash.slice(1)));
/** Below the top bar, where a heading counts as reached. */
const REACHED = 120;

function mark() {
  const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
  const passed = headings.filter((heading) => heading.getBoundingClientRect().top < REACHED).length;
  const current = atEnd && scrollY > 0 ? links.length - 1 : Math.max(passed - 1, 0);
  for (const [place, link] of links.entries()) {
    if (place === current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

let isWaiting = false;

function markSoon() {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    mark();
  });
}

if (links.length && headings.every(Boolean)) {
  document.addEventListener("scroll", markSoon, { passive: true });
  mark();
}
