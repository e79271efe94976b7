// Says why a passkey could not be used or added; django-allauth's script only logs it.

import { say } from "./messages.js";

const NEEDS_NAME = "Passkeys don't work on an IP address. Open this site by its host name.";
const NEEDS_HTTPS = "Passkeys don't work here: they need HTTPS and a browser that supports them.";
const OFFLINE = "The server couldn't be reached. Try again.";
const REASONS = {
  NotAllowedError: "No passkey was used: the request was canceled or timed out. Try again.",
  InvalidStateError: "This device already has a passkey for your account.",
};
const OTHERWISE = "The passkey couldn't be used. Try again.";
/** The addresses of this machine itself, which `localhost` names too. */
const LOOPBACK = new Set(["127.0.0.1", "[::1]"]);

function reasonOf(error) {
  if (!navigator.credentials || !window.PublicKeyCredential) return NEEDS_HTTPS;
  if (error?.name === "SecurityError") return NEEDS_NAME;
  // Raised for a request that got no response, and for a response other than 200.
  if (["TypeError", "Error"].includes(error?.name)) return OFFLINE;
  return REASONS[error?.name] ?? OTHERWISE;
}

/** The same page where passkeys work. */
function localLink() {
  const link = document.createElement("a");
  const address = new URL(location);
  address.hostname = "localhost";
  link.href = address;
  link.textContent = `Open ${address.origin}`;
  return link;
}

document.addEventListener("allauth.error", (event) => {
  const reason = reasonOf(event.detail.exception);
  const local = reason === NEEDS_NAME && LOOPBACK.has(location.hostname);
  document.querySelector("[data-passkey-error]")?.remove();
  const message = say(reason, "bad");
  message.dataset.passkeyError = "";
  message.setAttribute("role", "alert");
  if (local) message.querySelector("p").append(" ", localLink());
});
