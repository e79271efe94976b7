// Sends a form when a choice in it is made. Without scripts it has a button for that.

const FORM = "form[data-send-on-change]";
/** The choice that opens fields for two days. They have a button. */
const EXACT_DATES = "dates";

document.addEventListener("change", ({ target }) => {
  if (target.matches(`${FORM} select`) && target.value !== EXACT_DATES) target.form.requestSubmit();
});
