import { BASE, key } from "./api.js";
import { CallCard } from "./call_card.js";
import { copy } from "./copy.js";
import { curl } from "./curl.js";
import { byId, element } from "./dom.js";
import { programView } from "./program_view.js";
import { python } from "./python.js";
import { essential } from "./request.js";

/** An answer as it comes: reasoning, text, calls, and then what there is to see and copy of it. */
export class AnswerView {
  /** @param {(results: object[]) => void} onResults called with what came of all calls */
  constructor(onResults) {
    this.onResults = onResults;
    /** @type {CallCard[]} */
    this.cards = [];
    this.thought = element("p", { className: "text" });
    this.reasoning = element("details", { hidden: true }, element("summary", {}, "Reasoning"), this.thought);
    this.content = element("p", { className: "text" });
    this.calls = element("div", { className: "calls" });
    this.send = element("button", { type: "button", hidden: true }, "Send results");
    this.send.addEventListener("click", () => this.#give());
    this.foot = element("div", { className: "foot" });
    this.element = element(
      "section", { className: "message assistant", "aria-label": "Answer", "aria-busy": "true" },
      this.reasoning, this.content, this.calls, this.send, this.foot,
    );
  }

  /** @param {import("./answer.js").Answer} answer */
  show(answer) {
    this.reasoning.hidden = !answer.reasoning;
    this.thought.textContent = answer.reasoning;
    this.content.textContent = answer.content;
    answer.calls.forEach((call, place) => {
      if (!this.cards[place]) {
        this.cards[place] = new CallCard(call, () => this.#next(place));
        this.calls.append(this.cards[place].element);
      }
      this.cards[place].show();
    });
  }

  /**
   * It has come to its end.
   * @param {import("./answer.js").Answer} answer
   * @param {{fields: import("./request.js").Fields, own: string[]}} request what was asked
   */
  finish(answer, { fields, own }) {
    this.element.removeAttribute("aria-busy");
    this.cards.forEach((card) => card.open());
    this.send.hidden = !this.cards.length;
    const asked = essential(fields, own);
    const hasKey = Boolean(key.get());
    this.foot.append(
      element("span", {}, summary(answer)),
      button("Copy as curl", () => copy(curl(BASE, asked, hasKey))),
      button("Copy as Python", () => copy(python(BASE, asked, hasKey))),
    );
    if (answer.turn) {
      this.foot.after(programView(answer.turn));
    }
    // Who waits for the answer goes on with it; who is busy elsewhere stays there.
    const busy = document.activeElement;
    if (this.cards.length && busy?.matches("#say, [readonly], body")) {
      this.cards[0].result.focus();
    } else if (busy?.matches("[readonly]")) {
      byId("say").focus();
    }
  }

  /**
   * It will not come to its end.
   * @param {string} reason
   * @param {() => void} again
   */
  fail(reason, again) {
    this.element.removeAttribute("aria-busy");
    this.foot.append(element("p", { className: "error", role: "alert" }, reason));
    this.foot.append(button("Try again", again));
  }

  /** Nothing can be answered any more: the conversation has gone on. */
  close() {
    this.send.hidden = true;
    this.cards.forEach((card) => card.close());
  }

  /** @param {number} place of a card whose result was given */
  #next(place) {
    const left = this.cards.findIndex((card, at) => at > place && !card.result.value);
    if (left < 0) {
      this.#give();
    } else {
      this.cards[left].result.focus();
    }
  }

  #give() {
    if (!this.send.hidden) {
      this.onResults(this.cards.map((card) => card.message));
    }
  }
}

/**
 * @param {string} label
 * @param {() => void} act
 */
function button(label, act) {
  const made = element("button", { type: "button" }, label);
  made.addEventListener("click", act);
  return made;
}

/** @param {import("./answer.js").Answer} answer */
function summary({ finish, usage }) {
  if (!usage) {
    return finish;
  }
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  return (
    `${finish} · prompt ${usage.prompt_tokens} tokens, ${cached} of them cached` +
    ` · answer ${usage.completion_tokens}`
  );
}
