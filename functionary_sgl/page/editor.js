import { element } from "./dom.js";
import { JsonError, follow, places } from "./json_text.js";

let count = 0;

/**
 * A field for JSON that shows mistakes where they are: a text area over a copy of its text, in which
 * their places are marked, and a line for each below.
 */
export class JsonEditor {
  /**
   * @param {HTMLElement} parent
   * @param {string} label
   * @param {string} text
   * @param {number} rows
   */
  constructor(parent, label, text, rows) {
    const id = `editor-${++count}`;
    this.input = element("textarea", {
      id, rows, value: text, spellcheck: false, autocapitalize: "off", wrap: "soft",
      "aria-describedby": `${id}-notes`,
    });
    this.marks = element("div", { className: "marks", "aria-hidden": "true" });
    /** @type {{start: number, end: number, isError: boolean}[]} */
    this.shown = [];
    this.notes = element("ul", { id: `${id}-notes`, className: "notes" });
    parent.append(
      element("label", { htmlFor: id }, label),
      element("div", { className: "editor" }, this.marks, this.input),
      this.notes,
    );
    this.input.addEventListener("scroll", () => {
      this.marks.scrollTop = this.input.scrollTop;
    });
    this.check();
  }

  get text() {
    return this.input.value;
  }

  /** The places of the text; undefined where it is no JSON. */
  get place() {
    try {
      return places(this.text);
    } catch {
      return undefined;
    }
  }

  /**
   * The places of the text, which may be empty; undefined where it is no JSON, or has none of what
   * is `needed`: then that is shown.
   * @param {"members"} [needed]
   * @returns {import("./json_text.js").Place | undefined}
   */
  check(needed) {
    this.clear();
    if (!this.text.trim()) {
      return { start: 0, end: 0 };
    }
    try {
      const found = places(this.text);
      if (needed && !found[needed]) {
        throw new JsonError("Here should be an object", found.start);
      }
      return found;
    } catch (error) {
      if (!(error instanceof JsonError)) {
        throw error;
      }
      this.note(error.message, error.at, error.at + 1, true);
      return undefined;
    }
  }

  clear() {
    this.shown = [];
    this.notes.replaceChildren();
    this.input.removeAttribute("aria-invalid");
    this.draw();
  }

  /**
   * Show what the server says of the place to which `steps` lead.
   * @param {string[]} steps
   * @param {string} message
   * @param {boolean} isError whether nothing comes of the request
   */
  tell(steps, message, isError) {
    const { start, end } = follow(places(this.text), steps);
    const line = this.text.indexOf("\n", start);
    this.note(message, start, line < 0 ? end : Math.min(end, line), isError);
    const [first] = this.marks.children;
    this.input.scrollTop = first.offsetTop - this.input.clientHeight / 2;
  }

  /**
   * @param {string} message
   * @param {number} start
   * @param {number} end
   * @param {boolean} isError
   */
  note(message, start, end, isError) {
    const line = this.text.slice(0, start).split("\n").length;
    const go = element("button", { type: "button" }, `Line ${line}`);
    go.addEventListener("click", () => {
      this.input.focus();
      this.input.setSelectionRange(start, Math.min(end, this.text.length));
    });
    this.notes.append(element("li", { className: isError ? "error" : "warning" }, go, ` ${message}`));
    this.shown.push({ start, end, isError });
    if (isError) {
      this.input.setAttribute("aria-invalid", "true");
    }
    this.draw();
  }

  draw() {
    const parts = [];
    let done = 0;
    for (const { start, end, isError } of this.shown.sort((a, b) => a.start - b.start)) {
      if (start < done) {
        continue;
      }
      const marked = this.text.slice(start, end) || " ";
      parts.push(this.text.slice(done, start));
      parts.push(element("mark", { className: isError ? "error" : "warning" }, marked));
      done = end;
    }
    // A line's end at the very end would have no height of its own.
    this.marks.replaceChildren(...parts, `${this.text.slice(done)}\n`);
  }
}
