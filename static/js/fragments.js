// Fetches what dialogs show.

export const parse = (html) => new DOMParser().parseFromString(html, "text/html");

/** Whether a response is made for a dialog. Others, such as an error page, are never shown in one. */
export const fitsDialog = (html) => parse(html).querySelector("[data-dialog-content]") !== null;

/** To the sign-in, which says that the session has expired, and then to the page at `url`. */
export function signIn(url) {
  const next = encodeURIComponent(url.pathname + url.search);
  location.assign(`/accounts/login/?signed_out=page&next=${next}`);
}

/** The response and its HTML, or null if the user is signed out. */
export async function load(url, options = {}) {
  const headers = { "X-Dialog": "1" };
  const response = await fetch(url, { ...options, headers, cache: "no-store" });
  return response.redirected ? null : { response, html: await response.text() };
}
