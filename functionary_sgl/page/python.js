/** Those that OpenAI's client takes by name; it sends others as its `extra_body`. */
const NAMED = new Set([
  "model", "messages", "tools", "tool_choice", "parallel_tool_calls", "temperature", "top_p",
  "max_tokens", "max_completion_tokens", "seed", "stop", "n", "presence_penalty",
  "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "response_format",
  "reasoning_effort", "functions", "function_call", "user", "metadata", "store", "service_tier",
]);

const TOKEN = /"(?:[^"\\]|\\.)*"|true|false|null/g;
/** @type {Record<string, string>} */
const WORDS = { true: "True", false: "False", null: "None" };

/**
 * A script for OpenAI's client that sends the request. A key stays out of it.
 * @param {string} base
 * @param {import("./request.js").Fields} fields
 * @param {boolean} hasKey
 */
export function python(base, fields, hasKey) {
  const others = fields.filter(([name]) => !NAMED.has(name));
  const named = fields.filter(([name]) => NAMED.has(name));
  const extra = others.map(([name, value]) => `${JSON.stringify(name)}: ${literal(value)}`);
  const key = hasKey ? 'os.environ["OPENAI_API_KEY"]' : '"none"';
  return [
    ...(hasKey ? ["import os", ""] : []),
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${JSON.stringify(base)}, api_key=${key})`,
    "answer = client.chat.completions.create(",
    ...named.map(([name, value]) => `    ${name}=${literal(value)},`),
    ...(extra.length ? [`    extra_body={${extra.join(", ")}},`] : []),
    ")",
    "print(answer.choices[0].message.to_json())",
    "",
  ].join("\n");
}

/**
 * What is JSON as a Python literal. Strings are spelled anew: Python reads escapes of JSON otherwise.
 * @param {string} json
 */
function literal(json) {
  return json.replace(TOKEN, (token) => WORDS[token] ?? JSON.stringify(JSON.parse(token)));
}
