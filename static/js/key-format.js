// Whether a text is an API key, as far as its format tells. The page says what the format is.

import { fill } from "./key-test-verdict.js";

const matches = (text, pattern) => new RegExp(`^(?:${pattern})$`).test(text);

/** What is wrong with `secret`, or an empty string. Like `shape_problem` of key_test/messages.py. */
export function problemWith(secret, { sentences, format }) {
  if (!secret) return sentences.empty;
  const body = secret.slice(0, -format.checksum_length);
  if (matches(secret, format.pattern) && secret === body + checksum(body, format)) return "";
  if (!matches(secret, format.own)) return sentences.wrong_shape;
  if (secret.length === format.length) return sentences.typo;
  const size = secret.length < format.length ? "too_short" : "too_long";
  return fill(sentences[size], { count: secret.length, length: format.length });
}

/** The CRC-32 of a text in the digits of the format. */
function checksum(text, { polynomial, digits, checksum_length: length }) {
  let crc = -1;
  for (const character of text) {
    crc ^= character.charCodeAt(0);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
  }
  let rest = ~crc >>> 0;
  let written = "";
  for (let place = 0; place < length; place += 1) {
    written = digits[rest % digits.length] + written;
    rest = Math.floor(rest / digits.length);
  }
  return written;
}
