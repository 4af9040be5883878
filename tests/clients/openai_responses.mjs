// Runs the scenarios of responses.json with openai-node.
//
//     node openai_responses.mjs BASE_URL PACKAGE < responses.json
//
// PACKAGE is the folder of the installed package. Prints {"version": ..., "outcomes": ...}.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , baseURL, folder] = process.argv;
const require = createRequire(`${folder}/package.json`);
const { OpenAI } = require("openai");
const { VERSION: version } = require("openai/version");
const { responses } = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });

async function run(scenario, tools) {
  const input = [{ role: "user", content: `[${scenario.name}]` }];
  const request = { model: "m", input, ...scenario.fields };
  request.tools = (scenario.tools ?? []).map((name) => tools[name]);
  if (scenario.stream) return outcome(await responses.stream(request).finalResponse());
  let response;
  try {
    response = await responses.create(request);
  } catch (error) {
    return { error: [error.status, error.param] };
  }
  if (scenario.results) {
    const calls = response.output.filter(({ type }) => type === "function_call");
    const results = calls.map(({ call_id }, index) => ({
      type: "function_call_output",
      call_id,
      output: scenario.results[index],
    }));
    if (scenario.previous) {
      Object.assign(request, { input: results, previous_response_id: response.id });
    } else {
      request.input = [...input, ...response.output, ...results];
    }
    response = await responses.create(request);
  }
  return outcome(response);
}

function outcome({ output, output_text }) {
  const called = output.filter(({ type }) => type !== "message");
  return { text: output_text, calls: called.map((item) => [item.name, item.arguments ?? item.input]) };
}

const { scenarios, tools } = JSON.parse(readFileSync(0, "utf8"));
const outcomes = [];
for (const scenario of scenarios) outcomes.push([scenario.name, await run(scenario, tools)]);
console.log(JSON.stringify({ version, outcomes }));
