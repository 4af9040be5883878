/**
 * A new element. Whatever text it gets, it is text: nothing here reads markup.
 * @param {string} tag
 * @param {Record<string, unknown>} [properties] of the element; names with a dash are attributes
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function element(tag, properties = {}, ...children) {
  /** @type {any} */
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") {
      made.setAttribute(name, String(value));
    } else {
      made[name] = value;
    }
  }
  made.append(...children);
  return made;
}

/**
 * The element of the page that has this id.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  return document.getElementById(id);
}
