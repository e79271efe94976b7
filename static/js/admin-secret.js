// Copies a secret on request and takes it off the page when the page is left.
for (const face of document.querySelectorAll("[data-secret]")) {
  const field = face.querySelector("[data-secret-value]");
  const button = face.querySelector("[data-secret-copy]");
  const status = face.querySelector("[data-secret-status]");

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      status.textContent = "Secret copied.";
    } catch {
      field.focus();
      field.select();
      status.textContent = "Copying is blocked here. The key is selected: press Ctrl+C.";
    }
  };

  button.hidden = false;
  button.addEventListener("click", copy);
  field.addEventListener("focus", () => field.select());
  window.addEventListener("pagehide", () => {
    field.value = "";
    field.removeAttribute("value");
  });
}
