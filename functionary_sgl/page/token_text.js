/**
 * A token as the server tells it: one that is no whole characters has its bytes too.
 *
 * @typedef {object} Token
 * @property {string} token
 * @property {number[]} [bytes]
 * @property {number | null} [logprob]
 * @property {number} [id]
 * @property {boolean} [control]
 * @property {"program" | "choice" | "model"} [by]
 * @property {number} [payload]
 * @property {boolean} [forced]
 * @property {Token[]} [offered]
 * @property {Token[]} [top_logprobs]
 */

/**
 * What a token adds to a text, in UTF-8.
 * @param {Token} token
 */
export function bytesOf({ token, bytes }) {
  return bytes ? Uint8Array.from(bytes) : new TextEncoder().encode(token);
}

/** @param {Token[]} tokens */
export function textOf(tokens) {
  const parts = tokens.map(bytesOf);
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(all);
}

/**
 * One token alone, so that all of it can be seen: bytes that are no characters by their numbers.
 * @param {Uint8Array} bytes
 */
export function shown(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replace(/^ | $/g, "␣");
  } catch {
    return [...bytes].map((byte) => `<${byte.toString(16).toUpperCase().padStart(2, "0")}>`).join("");
  }
}
