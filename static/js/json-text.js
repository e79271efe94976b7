// Lays out JSON for reading without changing any value, as apikeys/pages/key_test/json_text.py does.

const TOKEN = /"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const OPENS = new Set(["{", "["]);
const CLOSES = new Set(["}", "]"]);
const DEEPEST = 100;

export function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON with one member per line; numbers and strings keep their spelling. Other text as it is. */
export function laidOut(text) {
  if (!isJson(text)) return text;
  let depth = 0;
  let before = "";
  let written = "";
  for (const [token] of text.matchAll(TOKEN)) {
    const closes = CLOSES.has(token);
    depth += Number(OPENS.has(before)) - Number(closes);
    if (depth > DEEPEST) return text;
    const isEmpty = closes && OPENS.has(before);
    if ((closes || OPENS.has(before) || before === ",") && !isEmpty) written += `\n${"  ".repeat(depth)}`;
    written += token === ":" ? ": " : token;
    before = token;
  }
  return written;
}

const COLORED = /("(?:\\.|[^"\\])*"?)(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null|curl)\b/g;

/** Puts JSON or a command into `place`, its names, strings, numbers and words in colors. */
export function showColored(place, text) {
  const pieces = [];
  let end = 0;
  for (const found of text.matchAll(COLORED)) {
    const [, string, colon, number] = found;
    const word = string ?? found[0];
    const kind = string ? (colon ? "f" : "s") : number ? "n" : word === "curl" ? "f" : "k";
    pieces.push(text.slice(end, found.index), colored(kind, word));
    end = found.index + word.length;
  }
  place.replaceChildren(...pieces, text.slice(end));
}

function colored(kind, text) {
  const span = document.createElement("span");
  span.className = kind;
  span.textContent = text;
  return span;
}
