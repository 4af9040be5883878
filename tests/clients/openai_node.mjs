// Runs the scenarios with openai-node.
//
//     node openai_node.mjs BASE_URL PACKAGE < scenarios.json
//
// PACKAGE is the folder of the installed package. Prints {"version": ..., "outcomes": ...}.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , baseURL, folder] = process.argv;
const require = createRequire(`${folder}/package.json`);
const { OpenAI } = require("openai");
const { VERSION: version } = require("openai/version");
const completions = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 }).chat.completions;

async function run(scenario, tools) {
  const messages = [{ role: "user", content: `[${scenario.name}]` }];
  const request = { model: "m", messages, ...scenario.fields };
  if (scenario.tools) request.tools = scenario.tools.map((name) => tools[name]);
  if (scenario.functions) request.functions = scenario.functions.map((n) => tools[n].function);
  if (scenario.stream) {
    const completion = await completions.stream(request).finalChatCompletion();
    return outcome(completion.choices[0]);
  }
  let [choice] = (await completions.create(request)).choices;
  if (scenario.results) {
    const results = choice.message.tool_calls.map((call, index) => ({
      role: "tool",
      tool_call_id: call.id,
      content: scenario.results[index],
    }));
    messages.push(choice.message, ...results);
    [choice] = (await completions.create(request)).choices;
  }
  return outcome(choice);
}

function outcome({ message, finish_reason }) {
  const calls = (message.tool_calls ?? []).map((call) => pair(call.function));
  const told = { content: message.content, calls, finish_reason };
  if (message.function_call) told.function_call = pair(message.function_call);
  return told;
}

function pair(called) {
  return [called.name, called.arguments];
}

const { scenarios, tools } = JSON.parse(readFileSync(0, "utf8"));
const outcomes = [];
for (const scenario of scenarios) outcomes.push([scenario.name, await run(scenario, tools)]);
console.log(JSON.stringify({ version, outcomes }));
