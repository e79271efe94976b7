// Suggests pages, sections, endpoints and errors while the reader types in the guide's search.
// The server's search page is the index: it is fetched once, when the field is first used.

const MOST = 8;
const form = document.querySelector("[data-guide-search]");
const field = form?.elements.q;
const list = form?.querySelector("[role=listbox]");
const status = form?.querySelector("[data-found]");
let index = null;

async function load() {
  const response = await fetch(form.action);
  if (!response.ok) throw new Error(`The index is not there: ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return [...page.querySelectorAll("[data-index] > li")].map((item) => {
    const link = item.querySelector("a");
    const title = link.textContent.trim();
    return {
      title,
      url: link.getAttribute("href"),
      place: item.querySelector(".sub").textContent.trim(),
      words: item.dataset.words,
    };
  });
}

/** The entries with all words; first those that have them in their titles. As `find` on the server. */
function find(entries, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found = entries.filter((entry) => words.every((word) => entry.words.includes(word)));
  const inTitle = ({ title }) => words.every((word) => title.toLowerCase().includes(word));
  return [...found.filter(inTitle), ...found.filter((entry) => !inTitle(entry))].slice(0, MOST);
}

function option(entry, place) {
  const item = document.createElement("li");
  const where = document.createElement("span");
  item.role = "option";
  item.id = `guide-found-${place}`;
  item.setAttribute("aria-selected", "false");
  item.dataset.url = entry.url;
  item.textContent = entry.title;
  where.className = "sub";
  where.textContent = entry.place;
  item.append(where);
  return item;
}

function show(entries) {
  list.replaceChildren(...entries.map(option));
  list.hidden = !entries.length;
  field.setAttribute("aria-expanded", String(!list.hidden));
  field.removeAttribute("aria-activedescendant");
  const count = entries.length === 1 ? "1 suggestion" : `${entries.length} suggestions`;
  status.textContent = field.value.trim() ? count : "";
}

const close = () => show([]);

function open(item) {
  close();
  location.assign(item.dataset.url);
}

async function suggest() {
  index ??= load().catch(() => []);
  const entries = await index;
  show(find(entries, field.value));
}

function select(step) {
  const options = [...list.children];
  if (!options.length) return;
  const at = options.findIndex((item) => item.ariaSelected === "true");
  const next = at < 0 ? (step > 0 ? 0 : options.length - 1) : (at + step + options.length) % options.length;
  for (const [place, item] of options.entries()) item.setAttribute("aria-selected", String(place === next));
  field.setAttribute("aria-activedescendant", options[next].id);
  options[next].scrollIntoView({ block: "nearest" });
}

function onKey(event) {
  const selected = list.querySelector("[aria-selected=true]");
  if (event.key === "ArrowDown") select(1);
  else if (event.key === "ArrowUp") select(-1);
  else if (event.key === "Escape" && !list.hidden) close();
  else if (event.key === "Enter" && selected) open(selected);
  else return;
  event.preventDefault();
}

/** Ctrl or ⌘ and K. Not a letter alone: those belong to the reader's assistive technology. */
function focusField(event) {
  if (event.key.toLowerCase() !== "k" || event.altKey || event.shiftKey) return;
  if (!(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  field.focus();
  field.select();
}

if (form) {
  field.role = "combobox";
  field.setAttribute("aria-expanded", "false");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-keyshortcuts", "Control+K Meta+K");
  if (/mac|iphone|ipad/i.test(navigator.platform)) form.querySelector("[data-shortcut]").textContent = "⌘K";
  field.addEventListener("input", suggest);
  field.addEventListener("keydown", onKey);
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) close();
  });
  // The field keeps the focus, so that the list is still there for the click.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => open(event.target.closest("[role=option]")));
  document.addEventListener("keydown", focusField);
}
