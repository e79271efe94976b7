// Icons for what scripts add. The server has written them into the page (parts/messages.html).

const icons = document.querySelector("#icons")?.content;

/** A new copy of the icon, or an empty text where the page has none. */
export const icon = (name) => icons?.querySelector(`[data-icon="${name}"]`)?.cloneNode(true) ?? "";
