import { element } from "./dom.js";
import { bytesOf, shown } from "./token_text.js";

/** @typedef {import("./token_text.js").Token & {cached: boolean}} Shown */

/**
 * Tokens that can be looked at one by one, with a pointer or the arrow keys.
 * @param {string} label
 * @param {Shown[]} tokens
 * @param {(token: Shown) => void} onLook
 */
export function tokenList(label, tokens, onLook) {
  const marks = tokens.map((token) => {
    const { control, cached, forced } = token;
    const kinds = Object.entries({ control, cached, forced }).filter(([, is]) => is);
    const classes = ["token", `by-${token.by}`, ...kinds.map(([kind]) => kind)];
    const mark = element(
      "span", { className: classes.join(" "), role: "option", tabIndex: -1 }, shown(bytesOf(token)),
    );
    mark.addEventListener("pointerenter", () => onLook(token));
    mark.addEventListener("focus", () => onLook(token));
    return mark;
  });
  marks[0].tabIndex = 0;
  const list = element("div", { className: "tokens", role: "listbox", "aria-label": label }, ...marks);
  list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const at = marks.indexOf(/** @type {any} */ (event.target));
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (next !== undefined && marks[next]) {
      event.preventDefault();
      marks[at].tabIndex = -1;
      marks[next].tabIndex = 0;
      marks[next].focus();
    }
  });
  return list;
}
