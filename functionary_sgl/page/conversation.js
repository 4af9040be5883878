import { Answer } from "./answer.js";
import { AnswerView } from "./answer_view.js";
import { complete } from "./api.js";
import { byId, element } from "./dom.js";
import { bodyOf } from "./request.js";
import { ServerError } from "./server_error.js";

/** What has been said, and the turns that go on from it. */
export class Conversation {
  /**
   * @param {import("./settings.js").Settings} settings
   * @param {(error: ServerError) => void} onRefused called where the server wants a key
   */
  constructor(settings, onRefused) {
    this.settings = settings;
    this.onRefused = onRefused;
    this.list = byId("messages");
    /** @type {AbortController | null} */
    this.running = null;
    /** @type {object[]} */
    this.messages = [];
    /** @type {AnswerView | null} */
    this.last = null;
  }

  clear() {
    this.stop();
    this.messages = [];
    this.last = null;
    this.list.replaceChildren();
  }

  /** End the turn that runs, if one does. */
  stop() {
    this.running?.abort();
  }

  /**
   * Say something, and have it answered; whether that could be asked.
   * @param {string} text
   */
  say(text) {
    const said = element("section", { className: "message user", "aria-label": "You" }, text);
    return this.#ask([{ role: "user", content: text }], [said]);
  }

  /**
   * Ask what comes behind `more`, which is shown as `shown`.
   * @param {object[]} more
   * @param {Node[]} shown
   */
  #ask(more, shown) {
    this.settings.clear();
    const request = this.settings.request([...this.messages, ...more]);
    if (this.running || !request) {
      return false;
    }
    this.messages.push(...more);
    this.last?.close();
    this.list.append(...shown);
    this.#run(request);
    return true;
  }

  /** @param {NonNullable<ReturnType<import("./settings.js").Settings["request"]>>} request */
  async #run(request) {
    const view = new AnswerView((results) => this.#ask(results, []));
    const { messages } = this;
    const running = this.#begin(view);
    const answer = new Answer();
    try {
      const { unenforced, chunks } = await complete(bodyOf(request.fields), running.signal);
      for (const place of unenforced) {
        this.settings.tell(place, "This keyword is not enforced.", false);
      }
      for await (const chunk of chunks) {
        answer.add(chunk);
        view.show(answer);
        this.#follow();
      }
      messages.push(answer.message);
      view.finish(answer, request);
    } catch (error) {
      this.#failed(error, view, running.signal.aborted);
    } finally {
      this.#end(running);
    }
  }

  /** @param {AnswerView} view */
  #begin(view) {
    const running = new AbortController();
    this.running = running;
    this.last = view;
    this.list.append(view.element);
    byId("stop").hidden = false;
    byId("send").disabled = true;
    this.#follow(true);
    return running;
  }

  /** @param {AbortController} running */
  #end(running) {
    if (this.running === running) {
      this.running = null;
      byId("stop").hidden = true;
      byId("send").disabled = false;
      this.#follow();
    }
  }

  /**
   * @param {unknown} error
   * @param {AnswerView} view
   * @param {boolean} wasStopped
   */
  #failed(error, view, wasStopped) {
    const message = wasStopped
      ? "Stopped. This answer is not part of the conversation."
      : error instanceof Error ? error.message : String(error);
    view.fail(message, () => {
      view.element.remove();
      this.#ask([], []);
    });
    if (error instanceof ServerError) {
      if (error.param) {
        this.settings.tell(error.param, error.message, true);
      }
      if (error.status === 401) {
        this.onRefused(error);
      }
    }
  }

  /** Keep the end in sight, for who has it in sight. @param {boolean} [always] */
  #follow(always = false) {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    if (always || scrollHeight - scrollTop - clientHeight < 80) {
      this.list.scrollTop = scrollHeight;
    }
  }
}
