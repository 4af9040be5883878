import { element } from "./dom.js";
import { bytesOf, shown, textOf } from "./token_text.js";
import { tokenList } from "./token_list.js";

/**
 * The turn as the program sees it: what the server told of it (`return_turn`), and nothing else.
 * It is made when it is opened.
 * @param {any} turn
 */
export function programView(turn) {
  const view = element(
    "details", { className: "program" },
    element("summary", {}, "The turn as its program sees it"),
  );
  view.addEventListener("toggle", () => {
    if (view.open && view.childElementCount === 1) {
      view.append(legend(turn), promptOf(turn), ...answerOf(turn));
    }
  });
  return view;
}

/** @param {any} turn */
function legend(turn) {
  const kinds = [
    ["control", "control token"], ["cached", "from the prefix cache"],
    ["by-program", "written by the program"], ["by-choice", "chosen among some"],
    ["by-model", "drawn by the model"], ["by-model forced", "forced by the grammar"],
  ];
  return element(
    "p", { className: "legend" }, `${turn.template}: `,
    ...kinds.map(([name, label]) => element("span", { className: `token ${name}` }, label)),
  );
}

/** Long prompts have thousands of tokens: those alike are one piece. @param {any} turn */
function promptOf(turn) {
  const cached = turn.cached_tokens ?? 0;
  const runs = [];
  turn.prompt.forEach((/** @type {any} */ token, /** @type {number} */ at) => {
    const kind = `token${token.control ? " control" : ""}${at < cached ? " cached" : ""}`;
    if (runs.at(-1)?.kind === kind && !token.control) {
      runs.at(-1).tokens.push(token);
    } else {
      runs.push({ kind, tokens: [token] });
    }
  });
  const found = Math.min(cached, turn.prompt.length);
  const said = turn.cached_tokens === null ? "" : `, ${found} from the prefix cache`;
  return element(
    "section", {},
    element("h4", {}, `Prompt: ${turn.prompt.length} tokens${said}`),
    element(
      "pre", { className: "prompt", tabIndex: 0, "aria-label": "Prompt" },
      ...runs.map(({ kind, tokens }) => element("span", { className: kind }, textOf(tokens))),
    ),
  );
}

/** @param {any} turn */
function answerOf(turn) {
  const details = element("output", { className: "details" }, "Choose a token to see where it comes from.");
  const sections = sectionsOf(turn).map(({ label, tokens }) =>
    element("section", {}, element("h4", {}, label), tokenList(label, tokens, (token) => {
      details.replaceChildren(...describe(token));
    })),
  );
  return [...sections, details];
}

/** Tokens of one source, one behind the other. @param {any} turn */
function sectionsOf(turn) {
  const sections = [];
  turn.answer.forEach((/** @type {any} */ token, /** @type {number} */ at) => {
    const cached = turn.prompt.length + at < (turn.cached_tokens ?? 0);
    const label = labelOf(token, turn.payloads);
    if (sections.at(-1)?.label !== label) {
      sections.push({ label, tokens: [] });
    }
    sections.at(-1).tokens.push({ ...token, cached });
  });
  return sections;
}

/**
 * @param {any} token
 * @param {any[]} payloads
 */
function labelOf(token, payloads) {
  if (token.by === "program") {
    return "Written by the program";
  }
  if (token.by === "choice") {
    return `Chosen among ${token.offered.length}`;
  }
  const { role, recipient } = payloads[token.payload] ?? {};
  return `${role ?? "Text"}${recipient ? ` for ${recipient}` : ""}, by the model`;
}

/** @param {any} token */
function describe(token) {
  const likely = token.logprob === undefined ? "" : ` · log-probability ${round(token.logprob)}`;
  const how = {
    program: "written by the program",
    choice: "chosen",
    model: token.forced ? "forced by the grammar" : "drawn by the model",
  }[token.by];
  const others = token.offered ?? token.top_logprobs ?? [];
  return [
    element("p", {}, `${shown(bytesOf(token))} · id ${token.id} · ${how}${likely}`),
    element("ul", {}, ...others.map((/** @type {any} */ other) =>
      element("li", {}, `${shown(bytesOf(other))} ${other.logprob === null ? "" : round(other.logprob)}`),
    )),
  ];
}

/** @param {number} logprob */
function round(logprob) {
  return logprob <= -9999 ? "ruled out" : logprob.toFixed(3);
}
