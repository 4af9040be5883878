// Runs the scenarios of messages.json with Anthropic's client for Node.
//
//     node anthropic_node.mjs BASE_URL PACKAGE < messages.json
//
// PACKAGE is the folder of the installed package. Prints {"version": ..., "outcomes": ...}.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , baseURL, folder] = process.argv;
const require = createRequire(`${folder}/package.json`);
const { Anthropic } = require("@anthropic-ai/sdk");
const { VERSION: version } = require("@anthropic-ai/sdk/version");
const { messages } = new Anthropic({ baseURL, apiKey: "none", maxRetries: 0 });

async function run(scenario, tools) {
  const begun = { role: "user", content: `[${scenario.name}]` };
  const request = { model: "m", max_tokens: 256, messages: [begun] };
  request.tools = (scenario.tools ?? []).map((name) => tools[name]);
  Object.assign(request, scenario.fields);
  let message;
  try {
    message = await ask(request, scenario);
  } catch (error) {
    return { error: [error.status, error.error.error.type, Boolean(error.requestID)] };
  }
  if (scenario.results) {
    const uses = message.content.filter(({ type }) => type === "tool_use");
    const results = uses.map(({ id }, index) => ({
      type: "tool_result",
      tool_use_id: id,
      content: scenario.results[index],
    }));
    const said = { role: "assistant", content: message.content };
    request.messages = [begun, said, { role: "user", content: results }];
    message = await ask(request, scenario);
  }
  return outcome(message, scenario);
}

function ask(request, scenario) {
  return scenario.stream ? messages.stream(request).finalMessage() : messages.create(request);
}

function outcome({ content, stop_reason: stop }, { name }) {
  const uses = content.filter(({ type }) => type === "tool_use");
  return {
    text: content.map((block) => block.text ?? "").join(""),
    calls: uses.map((use) => [use.name, name === "forced" ? "any" : use.input]),
    stop,
  };
}

const { scenarios, tools } = JSON.parse(readFileSync(0, "utf8"));
const outcomes = [];
for (const scenario of scenarios) outcomes.push([scenario.name, await run(scenario, tools)]);
console.log(JSON.stringify({ version, outcomes }));
