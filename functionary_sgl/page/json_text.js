/**
 * JSON with the places of all that is in it. Values stay text: what a server is sent, or a program
 * is shown, has the numbers that were typed.
 *
 * @typedef {object} Place
 * @property {number} start
 * @property {number} end
 * @property {Map<string, Place>} [members]
 * @property {Place[]} [items]
 */

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const OTHER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** What is no JSON, and from where on. */
export class JsonError extends Error {
  /**
   * @param {string} message
   * @param {number} at
   */
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

class Reader {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  /** @param {RegExp} pattern sticky */
  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    this.at += found ? found[0].length : 0;
    return found?.[0];
  }

  /** @param {string} wanted */
  has(wanted) {
    this.take(SPACE);
    const found = this.text.startsWith(wanted, this.at);
    this.at += found ? wanted.length : 0;
    return found;
  }

  /** @param {string} wanted */
  need(wanted) {
    if (!this.has(wanted)) {
      throw new JsonError(`Here should be ${wanted}`, this.at);
    }
  }

  /** @returns {Place} */
  value() {
    this.take(SPACE);
    const start = this.at;
    if (this.has("{")) {
      const members = this.members();
      return { start, end: this.at, members };
    }
    if (this.has("[")) {
      const items = this.items();
      return { start, end: this.at, items };
    }
    if (!this.take(STRING) && !this.take(OTHER)) {
      throw new JsonError("Here should be a value in JSON", start);
    }
    return { start, end: this.at };
  }

  members() {
    /** @type {Map<string, Place>} */
    const members = new Map();
    if (this.has("}")) {
      return members;
    }
    do {
      this.take(SPACE);
      const start = this.at;
      const name = this.take(STRING);
      if (!name) {
        throw new JsonError("Here should be a name in quotation marks", start);
      }
      this.need(":");
      members.set(JSON.parse(name), this.value());
    } while (this.has(","));
    this.need("}");
    return members;
  }

  items() {
    /** @type {Place[]} */
    const items = [];
    if (this.has("]")) {
      return items;
    }
    do {
      items.push(this.value());
    } while (this.has(","));
    this.need("]");
    return items;
  }
}

/**
 * @param {string} text
 * @returns {Place} that of the value which `text` is; a JsonError if it is none
 */
export function places(text) {
  const reader = new Reader(text);
  const found = reader.value();
  reader.take(SPACE);
  if (reader.at < text.length) {
    throw new JsonError("Here should be nothing more", reader.at);
  }
  return found;
}

/**
 * The place in `place` to which `steps` lead, or the last on the way that there is.
 * @param {Place} place
 * @param {string[]} steps
 */
export function follow(place, steps) {
  for (const step of steps) {
    const next = place.members?.get(step) ?? place.items?.[Number(step)];
    if (!next) {
      break;
    }
    place = next;
  }
  return place;
}
