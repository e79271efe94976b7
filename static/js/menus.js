// Menus work as those of the system do: arrow keys, Escape, and closing when the focus or a click goes elsewhere.

const MENU = "details.menu";
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/** Closes menus other than the one around `inside`. The focus in one goes back to its button. */
export function closeMenus(inside) {
  for (const menu of document.querySelectorAll(`${MENU}[open]`)) {
    if (inside && menu.contains(inside)) continue;
    const held = menu.contains(document.activeElement);
    menu.open = false;
    if (held) menu.querySelector("summary").focus();
  }
}

const itemsOf = (menu) =>
  [...menu.querySelectorAll(".panel :is(a, button)")].filter((item) => item.checkVisibility());

/** Where an arrow, Home or End leads to among the items; around at the ends. */
function target(items, key) {
  if (key === "Home") return items[0];
  if (key === "End") return items.at(-1);
  const now = items.indexOf(document.activeElement);
  if (now < 0) return key === "ArrowUp" ? items.at(-1) : items[0];
  return items[(now + STEPS[key] + items.length) % items.length];
}

function move(menu, event) {
  if (!menu.open && !(event.key in STEPS)) return;
  menu.open = true;
  const item = target(itemsOf(menu), event.key);
  if (!item) return;
  event.preventDefault();
  item.focus();
}

/** A panel that would end below the window opens upwards, if there is room. */
function place(menu) {
  menu.classList.remove("up");
  if (!menu.open) return;
  const panel = menu.querySelector(".panel").getBoundingClientRect();
  const above = menu.getBoundingClientRect().top;
  menu.classList.toggle("up", panel.bottom > innerHeight && above > panel.height);
}

document.addEventListener("click", (event) => closeMenus(event.target));

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(MENU);
  if (!menu) return;
  if (event.key === "Escape" && menu.open) closeMenus();
  else if (event.key in STEPS || ["Home", "End"].includes(event.key)) move(menu, event);
});

document.addEventListener("focusout", ({ target: left, relatedTarget: to }) => {
  const menu = left.closest?.(`${MENU}[open]`);
  if (menu && to && !menu.contains(to)) menu.open = false;
});

// `toggle` doesn't bubble.
document.addEventListener("toggle", ({ target: menu }) => menu.matches(MENU) && place(menu), true);
