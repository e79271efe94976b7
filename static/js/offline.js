// Says on pages with dialogs that the browser is offline.

import { pageStatus, say } from "./messages.js";

const OFFLINE = "You are offline. This page may be out of date, and changes can't be saved.";
let message = null;

function showOffline() {
  message?.remove();
  message = navigator.onLine ? null : say(OFFLINE, "warn", pageStatus);
  if (message) message.dataset.lasting = "";
}

if (document.querySelector("#dialog")) {
  showOffline();
  window.addEventListener("online", showOffline);
  window.addEventListener("offline", showOffline);
}
