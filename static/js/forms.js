// Forms of pages are sent once.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.matches("#dialog form, [data-test]")) return;
  if (form.dataset.sending) event.preventDefault();
  form.dataset.sending = "1";
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sending]")) delete form.dataset.sending;
});
