// Sends a form when a choice in it is made. Without scripts it has a button for that.

const FORM = "form[data-send-on-change]";

document.addEventListener("change", ({ target }) => {
  if (target.matches(`${FORM} select`)) target.form.requestSubmit();
});
