// Copies or saves the secret of a new key, and takes it to the test.

import { copy, mark } from "./copy.js";
import { askToClose, dialog, show } from "./dialog.js";
import { saySignedOut } from "./dialog-forms.js";
import { onClick } from "./events.js";
import { load } from "./fragments.js";
import { isUncopied, issuedKey, remember, setCopied } from "./issued-secret.js";
import { mask } from "./masks.js";

const BLOCKED = "Copying is blocked here. The key is selected: press Ctrl+C.";
const COPIED = "Secret copied. Store it in a secret manager before you close this dialog.";
const SAVED = "Secret saved. Move the file to where your secrets are, and keep it out of version control.";

const secretField = () => dialog.querySelector("[data-secret-value]");

async function copySecret(button, text) {
  if (await copy(text, { failure: BLOCKED, button })) return sayStored(COPIED);
  const field = secretField();
  mask(field, dialog.querySelector("[data-eye]"), false);
  field.focus();
  field.select();
}

/** Saves the secret as a line of a file. The URL of the file doesn't contain it and is revoked immediately. */
function download(button) {
  const line = `${button.dataset.secretDownload}=${secretField().value}\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([line], { type: "text/plain" }));
  link.download = button.dataset.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
  mark(button, "Saved");
  sayStored(SAVED);
}

/** From now on closing is the next step, so Done becomes the main button. */
function sayStored(words) {
  setCopied();
  const notice = dialog.querySelector("[data-copied-notice]");
  notice.querySelector("p").textContent = words;
  notice.hidden = false;
  dialog.querySelector("[data-uncopied]").hidden = true;
  dialog.querySelector("[data-gate]").hidden = true;
  dialog.querySelector("[data-secret-copy]").classList.remove("primary");
  dialog.querySelector("[data-done-button]").classList.add("primary");
}

async function testSecret(button) {
  const secret = secretField().value;
  if (isUncopied()) return askToClose();
  const key = { ...issuedKey() };
  const got = await load(button.dataset.testSecret);
  if (!got) return saySignedOut();
  show(got.html);
  remember(key);
  dialog.querySelector("[name=key]").value = secret;
}

if (dialog) {
  onClick("[data-secret-copy]", (button) => copySecret(button, secretField().value));
  onClick("[data-secret-export]", (button) =>
    copySecret(button, `export ${button.dataset.secretExport}=${secretField().value}`),
  );
  onClick("[data-secret-download]", download);
  onClick("[data-test-secret]", testSecret);
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-secret-value]")) event.target.select();
});
