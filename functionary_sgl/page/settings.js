import { byId, element } from "./dom.js";
import { JsonEditor } from "./editor.js";
import { steps } from "./param_path.js";

const EXAMPLE = `[
  {
    "type": "function",
    "function": {
      "name": "get_current_weather",
      "description": "Get the current weather",
      "parameters": {
        "type": "object",
        "properties": {
          "location": {
            "type": "string",
            "description": "The city and state, e.g. San Francisco, CA"
          }
        },
        "required": ["location"]
      }
    }
  }
]`;

const NUMBERS = ["temperature", "top_p", "max_tokens", "seed"];
const ALTERNATIVES = 5;

/** The page itself reads streams, and copies what is asked without. */
const OF_STREAMS = ["stream", "stream_options"];

/** All of a request but its messages. */
export class Settings {
  constructor() {
    this.tools = new JsonEditor(byId("tools"), "Tools (JSON)", EXAMPLE, 12);
    this.more = new JsonEditor(byId("more"), "More fields (JSON)", "", 3);
    this.tools.input.addEventListener("input", () => this.#offerChoices());
    byId("settings").addEventListener("input", () => this.clear());
    // On a phone the conversation is what counts.
    byId("settings").open = matchMedia("(min-width: 50rem)").matches;
    this.#offerChoices();
  }

  /** Take back what was said of mistakes; JSON that is none stays one. */
  clear() {
    this.tools.check();
    this.more.check("members");
    for (const found of document.querySelectorAll("#settings .told")) {
      found.previousElementSibling?.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
      found.remove();
    }
  }

  /**
   * What is set, as `names` and `fields`; undefined where an editor has no JSON.
   * @param {object[]} messages
   */
  request(messages) {
    const tools = this.tools.check();
    const more = this.more.check("members");
    if (!tools || !more) {
      byId("settings").open = true;
      (tools ? this.more : this.tools).input.focus();
      return undefined;
    }
    const typed = this.#typed(more);
    const own = typed.map(([name]) => name);
    const set = [...this.#set(messages), ...typed];
    const fields = set.filter(([name], at) => at === set.findLastIndex((one) => one[0] === name));
    return { fields: /** @type {import("./request.js").Fields} */ (fields), own };
  }

  /** @param {import("./json_text.js").Place} more */
  #typed(more) {
    const members = [...(more.members ?? [])].filter(([name]) => !OF_STREAMS.includes(name));
    return members.map(([name, { start, end }]) => [name, this.more.text.slice(start, end)]);
  }

  /** @param {object[]} messages */
  #set(messages) {
    const system = byId("system").value;
    const all = system ? [{ role: "system", content: system }, ...messages] : messages;
    const choice = byId("tool_choice").value;
    const set = [
      ["model", JSON.stringify(byId("model").value)],
      ["messages", JSON.stringify(all)],
    ];
    if (this.tools.text.trim()) {
      set.push(["tools", this.tools.text.trim()]);
    }
    if (choice) {
      set.push(["tool_choice", choice]);
    }
    for (const name of NUMBERS) {
      const { value, valueAsNumber } = byId(name);
      if (value) {
        set.push([name, /^-?(0|[1-9]\d*)$/.test(value) ? value : JSON.stringify(valueAsNumber)]);
      }
    }
    if (byId("one_call").checked) {
      set.push(["parallel_tool_calls", "false"]);
    }
    if (byId("return_turn").checked) {
      set.push(["return_turn", "true"]);
    }
    if (byId("logprobs").checked) {
      set.push(["logprobs", "true"], ["top_logprobs", String(ALTERNATIVES)]);
    }
    set.push(["stream", "true"], ["stream_options", '{"include_usage": true}']);
    return set;
  }

  /**
   * Show what the server says of a place in the request, where it is; whether that is here.
   * @param {string} path as in `param`
   * @param {string} message
   * @param {boolean} isError
   */
  tell(path, message, isError) {
    const [first, ...rest] = steps(path);
    if (first === undefined) {
      return false;
    }
    const field = document.querySelector(`#settings label > #${CSS.escape(first)}`);
    if (this.more.place?.members?.has(first)) {
      this.more.tell([first, ...rest], message, isError);
    } else if (first === "tools" && this.tools.text.trim()) {
      this.tools.tell(rest, message, isError);
    } else if (field) {
      field.setAttribute("aria-invalid", "true");
      field.closest("label")?.after(element("p", { className: "told error" }, message));
    } else {
      return false;
    }
    byId("settings").open = true;
    return true;
  }

  /** The choices are those of the tools, as far as these can be read. */
  #offerChoices() {
    const chosen = byId("tool_choice").value;
    const names = namesOf(this.tools.text) ?? [];
    const named = names.map((name) => [
      name, JSON.stringify({ type: "function", function: { name } }),
    ]);
    const all = [["auto", ""], ["none", '"none"'], ["required", '"required"'], ...named];
    byId("tool_choice").replaceChildren(
      ...all.map(([label, value]) => element("option", { value, selected: value === chosen }, label)),
    );
  }
}

/** @param {string} tools */
function namesOf(tools) {
  try {
    const found = JSON.parse(tools).map((/** @type {any} */ tool) => tool?.function?.name);
    return [...new Set(found)].filter((name) => typeof name === "string");
  } catch {
    return undefined;  // while it is typed
  }
}
