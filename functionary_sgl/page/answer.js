/**
 * The chunks of a stream, added up.
 *
 * @typedef {object} Call
 * @property {string} id
 * @property {"function" | "custom"} type
 * @property {string} name
 * @property {string} text its arguments in JSON, or what a custom tool takes
 */
export class Answer {
  content = "";
  reasoning = "";
  /** @type {Call[]} */
  calls = [];
  finish = "";
  /** @type {import("./program_view.js").Turn | null} */
  turn = null;
  /** @type {any} */
  usage = null;

  /** @param {any} chunk */
  add(chunk) {
    this.usage = chunk.usage ?? this.usage;
    const [choice] = chunk.choices;
    if (!choice || choice.index !== 0) {
      return;
    }
    this.content += choice.delta.content ?? "";
    this.reasoning += choice.delta.reasoning_content ?? "";
    (choice.delta.tool_calls ?? []).forEach((/** @type {any} */ part) => this.#addCall(part));
    this.finish = choice.finish_reason ?? this.finish;
    this.turn = choice.turn ?? this.turn;
  }

  /** @param {any} part */
  #addCall(part) {
    this.calls[part.index] ??= { id: part.id, type: part.type, name: "", text: "" };
    const call = this.calls[part.index];
    const more = part[call.type];
    call.name += more.name ?? "";
    call.text += (call.type === "custom" ? more.input : more.arguments) ?? "";
  }

  /** As the message that it is in a history. */
  get message() {
    const calls = this.calls.map(({ id, type, name, text }) => ({
      id,
      type,
      [type]: type === "custom" ? { name, input: text } : { name, arguments: text },
    }));
    return {
      role: "assistant",
      content: this.content || null,
      ...(this.reasoning ? { reasoning_content: this.reasoning } : {}),
      ...(calls.length ? { tool_calls: calls } : {}),
    };
  }
}
