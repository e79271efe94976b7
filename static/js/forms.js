// Forms of pages: sent once, and with the choice that a filled field stands for.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.matches("#dialog form, [data-test]")) return;
  if (form.dataset.sending) event.preventDefault();
  form.dataset.sending = "1";
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sending]")) delete form.dataset.sending;
});

/** Filling in custom permissions or a date chooses “custom”. */
document.addEventListener("change", ({ target: { form, name, value } }) => {
  const choice = { scopes: "permissions", expires_on: "expires" }[name];
  if (value && form?.elements[choice]) form.elements[choice].value = "custom";
});
