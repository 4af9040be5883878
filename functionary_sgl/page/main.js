import { key, models } from "./api.js";
import { Conversation } from "./conversation.js";
import { byId, element } from "./dom.js";
import { ServerError } from "./server_error.js";
import { Settings } from "./settings.js";

const settings = new Settings();
const conversation = new Conversation(settings, askForKey);

/** @param {ServerError} error */
function askForKey(error) {
  byId("status").textContent = error.message;
  byId("key-form").hidden = false;
  byId("key").focus();
}

/** Fill in the models; where they are not told without a key, ask for one. */
async function begin() {
  try {
    const names = await models();
    byId("model").replaceChildren(...names.map((name) => element("option", {}, name)));
    byId("status").textContent = "";
    byId("say").focus();
  } catch (error) {
    if (!(error instanceof ServerError)) {
      throw error;
    }
    if (error.status === 401) {
      askForKey(error);
    } else {
      byId("status").textContent = error.message;
    }
  }
}

function say() {
  const field = byId("say");
  if (field.value.trim() && conversation.say(field.value)) {
    field.value = "";
  }
}

byId("key-form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  key.set(byId("key").value.trim());
  begin();
});
byId("composer").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  say();
});
byId("say").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    say();
  }
});
byId("stop").addEventListener("click", () => conversation.stop());
byId("clear").addEventListener("click", () => conversation.clear());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    conversation.stop();
  }
});

begin();
