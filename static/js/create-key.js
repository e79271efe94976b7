// The form of a new key: what a template fills in, when the key stops working, and all of it in words.

import { onShown } from "./events.js";

const FILLED = ["permissions", "expires"];

const formOf = (target) => target.form?.matches("[data-create-key]") && target.form;
const wordsOf = (field) =>
  (field instanceof RadioNodeList
    ? [...field].find((radio) => radio.checked)
    : field.selectedOptions[0]
  )?.dataset.words;

const defaultsOf = (form) => ({
  permissions: "standard",
  expires: form.elements.expires.dataset.default,
  scopes: "",
});

/** Puts what the template says into the fields that the user has not set. */
function fill(form) {
  const option = form.elements.template.selectedOptions[0];
  const values = option.value ? option.dataset : defaultsOf(form);
  for (const name of FILLED) {
    if (name in form.dataset) continue; // set by the user
    form.elements[name].value = values[name];
    if (name === "permissions") tick(form, values.scopes.split(" "));
  }
  form.elements.filled.value = option.value;
  sayFilling(form, option);
}

function tick(form, scopes) {
  for (const box of form.querySelectorAll("[name=scopes]")) box.checked = scopes.includes(box.value);
}

function sayFilling(form, option) {
  form.querySelector("[data-filling-none]").hidden = Boolean(option.value);
  form.querySelector("[data-filling]").hidden = !option.value;
  form.querySelector("[data-filling-permissions]").textContent = option.dataset.named ?? "";
  form.querySelector("[data-filling-period]").textContent = option.dataset.period ?? "";
}

function setByUser(form, name) {
  const set = name === "scopes" ? "permissions" : name;
  if (FILLED.includes(set)) form.dataset[set] = "";
}

/** Everything that follows from what is chosen. */
function update(form) {
  const { environment, permissions, expires, expires_on: day } = form.elements;
  const words = [environment, permissions, expires].map(wordsOf).filter(Boolean);
  form.querySelector("[data-in-words]").textContent = words.join(" · ");
  const { end } = expires.selectedOptions[0].dataset;
  form.querySelector("[data-end-line]").hidden = !end;
  form.querySelector("[data-end-shown]").textContent = end;
  // What is not shown is not sent, and comes back with its choice.
  day.disabled = expires.value !== "custom";
  form.querySelector("[data-custom-permissions]").disabled = permissions.value !== "custom";
  for (const part of form.querySelectorAll(".is-filled")) part.classList.remove("is-filled");
}

onShown((part) => {
  for (const form of part.querySelectorAll("[data-create-key]")) update(form);
});

document.addEventListener("change", ({ target }) => {
  const form = formOf(target);
  if (!form) return;
  if (target.name === "template") fill(form);
  else setByUser(form, target.name);
  update(form);
});
