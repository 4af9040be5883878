import { element } from "./dom.js";
import { bytesOf, shown, textOf } from "./token_text.js";
import { tokenList } from "./token_list.js";

/**
 * What the server tells of a turn.
 *
 * @typedef {import("./token_text.js").Token} Token
 * @typedef {import("./token_list.js").Shown} Shown
 * @typedef {object} Turn
 * @property {string} template
 * @property {Token[]} prompt
 * @property {Token[]} answer
 * @property {{role: string, recipient: string | null, call_id: string | null}[]} payloads
 * @property {number | null} cached_tokens
 */

const SOURCES = { program: "written by the program", choice: "chosen", model: "drawn by the model" };

/**
 * The turn as the program sees it: what the server told of it (`return_turn`), and nothing else.
 * It is made when it is opened.
 * @param {Turn} turn
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

/** @param {Turn} turn */
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

/** Long prompts have thousands of tokens: those alike are one piece. @param {Turn} turn */
function promptOf(turn) {
  const cached = turn.cached_tokens ?? 0;
  /** @type {{kind: string, tokens: Token[]}[]} */
  const runs = [];
  turn.prompt.forEach((token, at) => {
    const kind = `token${token.control ? " control" : ""}${at < cached ? " cached" : ""}`;
    const last = runs.at(-1);
    if (last?.kind === kind && !token.control) {
      last.tokens.push(token);
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

/** @param {Turn} turn */
function answerOf(turn) {
  const details = element("output", { className: "details" }, "Choose a token to see where it comes from.");
  const sections = sectionsOf(turn).map(({ label, tokens }) =>
    element("section", {}, element("h4", {}, label), tokenList(label, tokens, (token) => {
      details.replaceChildren(...describe(token));
    })),
  );
  return [...sections, details];
}

/** Tokens of one source, one behind the other. @param {Turn} turn */
function sectionsOf(turn) {
  /** @type {{label: string, tokens: Shown[]}[]} */
  const sections = [];
  turn.answer.forEach((token, at) => {
    const shown = { ...token, cached: turn.prompt.length + at < (turn.cached_tokens ?? 0) };
    const label = labelOf(token, turn.payloads);
    const last = sections.at(-1);
    if (last?.label === label) {
      last.tokens.push(shown);
    } else {
      sections.push({ label, tokens: [shown] });
    }
  });
  return sections;
}

/**
 * @param {Token} token
 * @param {Turn["payloads"]} payloads
 */
function labelOf({ by, offered, payload }, payloads) {
  if (by === "program") {
    return "Written by the program";
  }
  if (offered) {
    return `Chosen among ${offered.length}`;
  }
  const { role, recipient } = payloads[payload ?? -1] ?? {};
  return `${role ?? "Text"}${recipient ? ` for ${recipient}` : ""}, by the model`;
}

/** @param {Token} token */
function describe(token) {
  const likely = token.logprob == null ? "" : ` · log-probability ${round(token.logprob)}`;
  const how = token.forced ? "forced by the grammar" : SOURCES[token.by ?? "program"];
  const others = token.offered ?? token.top_logprobs ?? [];
  return [
    element("p", {}, `${shown(bytesOf(token))} · id ${token.id} · ${how}${likely}`),
    element("ul", {}, ...others.map((other) =>
      element("li", {}, `${shown(bytesOf(other))} ${other.logprob == null ? "" : round(other.logprob)}`),
    )),
  ];
}

/** @param {number} logprob */
function round(logprob) {
  return logprob <= -9999 ? "ruled out" : logprob.toFixed(3);
}
