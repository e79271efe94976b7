// Copies the secret of a new key, and takes it to the test.

import { copy } from "./copy.js";
import { askToClose, dialog, show } from "./dialog.js";
import { saySignedOut } from "./dialog-forms.js";
import { onClick } from "./events.js";
import { load } from "./fragments.js";
import { isUncopied, issuedKey, remember, setCopied } from "./issued-secret.js";
import { mask } from "./masks.js";

const BLOCKED = "Copying is blocked here. The key is selected: press Ctrl+C.";
const LABEL_SECONDS = 2;

async function copySecret(button) {
  const field = dialog.querySelector("[data-secret-value]");
  const label = button.querySelector("span");
  if (await copy(field.value, { success: "Secret copied.", failure: BLOCKED, button })) {
    setCopied();
    label.textContent = "Copied";
    setTimeout(() => (label.textContent = "Copy secret"), LABEL_SECONDS * 1000);
    return;
  }
  mask(field, dialog.querySelector("[data-eye]"), false);
  field.focus();
  field.select();
}

async function testSecret(button) {
  const secret = dialog.querySelector("[data-secret-value]").value;
  if (isUncopied()) return askToClose();
  const key = { ...issuedKey() };
  const got = await load(button.dataset.testSecret);
  if (!got) return saySignedOut();
  show(got.html);
  remember(key);
  dialog.querySelector("[name=key]").value = secret;
}

if (dialog) {
  onClick("[data-secret-copy]", copySecret);
  onClick("[data-test-secret]", testSecret);
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-secret-value]")) event.target.select();
});
