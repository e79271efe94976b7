// Shows times in the reader's time zone. The server writes them in UTC, which stays in the title
// and, for facts, appears on keyboard focus. One format everywhere: “30 Nov 2026, 14:05”.

const HOUR = 3_600_000;
const format = new Intl.DateTimeFormat("en-US", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

function local(moment) {
  const part = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  const day = `${part.day} ${part.month} ${part.year}`;
  const time = `${part.hour}:${part.minute}`;
  return { day, time, full: `${day}, ${time}`, short: `${part.day} ${part.month}, ${time}` };
}

function upgrade(time) {
  const moment = new Date(time.dateTime);
  if (!time.dataset.time || time.dataset.utc || Number.isNaN(moment.getTime())) return;
  const utc = time.title;
  const { day, full, short } = local(moment);
  time.dataset.utc = utc;
  if (`${full} UTC` === utc) return; // the reader's zone is UTC
  const isFact = ["full", "hour"].includes(time.dataset.time);
  if (time.dataset.time === "full") time.textContent = full;
  else time.title = `${full} (${utc})`;
  if (time.dataset.time === "day") time.textContent = day;
  if (time.dataset.time === "short") time.textContent = short;
  if (time.dataset.time === "hour") time.textContent = `${full}–${local(new Date(moment.getTime() + HOUR)).time}`;
  if (isFact && time.closest("dl")) time.tabIndex = 0;
}

function upgradeIn(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  if (node.matches("time")) upgrade(node);
  for (const time of node.querySelectorAll("time")) upgrade(time);
}

upgradeIn(document.body);
// Lists that were refreshed, and dialogs.
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) upgradeIn(node);
}).observe(document.body, { childList: true, subtree: true });
