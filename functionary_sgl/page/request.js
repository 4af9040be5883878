/**
 * A request, as names and values in JSON, which stay as they were typed.
 * @typedef {[string, string][]} Fields
 */

/** What the page asks for itself: how an answer comes, and what is shown of it. */
const OF_THE_PAGE = ["stream", "stream_options", "return_turn", "logprobs", "top_logprobs"];

/**
 * @param {Fields} fields
 * @returns {string}
 */
export function bodyOf(fields) {
  return `{${fields.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(", ")}}`;
}

/**
 * Those of `fields` that the answer itself depends on; `own` were typed, and stay.
 * @param {Fields} fields
 * @param {string[]} own
 * @returns {Fields}
 */
export function essential(fields, own) {
  return fields.filter(([name]) => own.includes(name) || !OF_THE_PAGE.includes(name));
}
