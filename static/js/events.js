// Listeners on the document, for elements that come and go with dialogs and fetched lists.

/** Calls `act` with the nearest element that matches `selector` around what is clicked. */
export function onClick(selector, act) {
  document.addEventListener("click", (event) => {
    const found = event.target.closest(selector);
    if (found) act(found, event);
  });
}

/** Calls `act` instead of the browser's submission of forms that match `selector`. */
export function onSubmit(selector, act) {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(selector)) return;
    event.preventDefault();
    act(event.target, event.submitter);
  });
}

/** Calls `prepare` with each part of the page that appears: the document now, and what dialogs show. */
export function onShown(prepare) {
  prepare(document);
  document.addEventListener("part-shown", (event) => prepare(event.target));
}

export const announceShown = (part) => part.dispatchEvent(new Event("part-shown", { bubbles: true }));
