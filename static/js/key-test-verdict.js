// What a response of the API says about a key, in the sentences that the server has written into the page.

/** A sentence with values in place of its {names}. */
export const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** `verdict` of apikeys/pages/key_test/messages.py chooses in the same way. */
export function verdict({ sentences, by_status: byStatus }, { status, headers }, text) {
  const { code, message } = errorIn(text);
  if (status === 401 && code.startsWith("key_") && message) {
    return fill(sentences.rejected, { message: withTimes(message) });
  }
  if (status === 403 && message) return message;
  if (status === 429 && headers.get("Retry-After")) {
    return fill(sentences.limited_for, { seconds: headers.get("Retry-After") });
  }
  if (status >= 500) return fill(sentences.failed, { id: headers.get("X-Request-Id") ?? "unknown" });
  return sentences[byStatus[status] ?? "unexpected"];
}

const asText = (value) => (typeof value === "string" ? value : "");

/** The code and the message of an error response; empty where they are not texts. */
function errorIn(text) {
  try {
    const { code, message } = JSON.parse(text).error;
    return { code: asText(code), message: asText(message) };
  } catch {
    return { code: "", message: "" };
  }
}

/** Timestamps of the API, written as the pages write them: 4 Nov 2026, 14:05 UTC. */
function withTimes(text) {
  return text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (timestamp) => {
    const parts = new Date(timestamp).toUTCString().match(/(\d+) (\w+) (\d+) (\d\d:\d\d)/);
    return parts ? `${Number(parts[1])} ${parts[2]} ${parts[3]}, ${parts[4]} UTC` : timestamp;
  });
}
