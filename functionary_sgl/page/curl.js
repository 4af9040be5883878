import { bodyOf } from "./request.js";

/**
 * A command for a shell that sends the request. A key stays out of it.
 * @param {string} base
 * @param {import("./request.js").Fields} fields
 * @param {boolean} hasKey
 */
export function curl(base, fields, hasKey) {
  const key = hasKey ? ['-H "Authorization: Bearer $OPENAI_API_KEY"'] : [];
  return [
    `curl ${quoted(`${base}/chat/completions`)}`,
    "-H 'Content-Type: application/json'",
    ...key,
    `-d ${quoted(bodyOf(fields))}`,
  ].join(" \\\n  ");
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
