// Says on pages with dialogs that the browser is offline.

import { pageStatus, say } from "./messages.js";

const OFFLINE = "You are offline. What you see may be old, and changes can’t be sent.";
let message = null;

function showOffline() {
  message?.remove();
  message = navigator.onLine ? null : say(OFFLINE, "warn", pageStatus);
}

if (document.querySelector("#dialog")) {
  showOffline();
  window.addEventListener("online", showOffline);
  window.addEventListener("offline", showOffline);
}
