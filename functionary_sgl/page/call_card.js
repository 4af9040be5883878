import { element } from "./dom.js";

/** A call: its name, what it is called with as that comes, and a field for what comes of it. */
export class CallCard {
  /**
   * @param {import("./answer.js").Call} call
   * @param {() => void} onResult called when the result is given
   */
  constructor(call, onResult) {
    this.call = call;
    this.sent = element("code", { className: "arguments" });
    this.result = element("textarea", { rows: 2, "aria-label": `Result of ${call.name}` });
    this.answering = element("div", { hidden: true }, element("label", {}, "Result", this.result));
    this.element = element(
      "article", { className: "call", "aria-label": `Call of ${call.name}` },
      element("h3", {}, call.name), this.sent, this.answering,
    );
    this.result.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        onResult();
      }
    });
  }

  show() {
    this.sent.textContent = this.call.text;
  }

  /** From now on it can be answered. */
  open() {
    this.answering.hidden = false;
  }

  /** It is answered: the result stays, as it was sent. */
  close() {
    this.result.readOnly = true;
  }

  get message() {
    return { role: "tool", tool_call_id: this.call.id, content: this.result.value };
  }
}
