// Characters as people count them; the server counts the same ones (apikeys/pages/key_test/characters.py).

/** The first characters of a text, none of them cut through, and how many there are of all. */
export function firstCharacters(text, most) {
  let total = 0;
  let end = text.length;
  for (const { index } of characters(text)) {
    if (total === most) end = index;
    total += 1;
  }
  return { first: text.slice(0, end), shown: Math.min(total, most), total };
}

/** Where each begins. Browsers from before 2024 tell whole code points. */
function* characters(text) {
  if (Intl.Segmenter) {
    yield* new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text);
    return;
  }
  let index = 0;
  for (const character of text) {
    yield { index };
    index += character.length;
  }
}

export const inWords = (number) => number.toLocaleString("en-US");
