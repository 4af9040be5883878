import { eventsOf } from "./events.js";
import { ServerError } from "./server_error.js";

const KEPT = "functionary-key";

/** Where the server's endpoints are: beside this page, wherever a proxy has put it. */
export const BASE = new URL("v1", document.baseURI).href;

/** The key that requests carry; kept until the tab is closed. */
export const key = {
  get: () => sessionStorage.getItem(KEPT) ?? "",
  /** @param {string} value */
  set: (value) => sessionStorage.setItem(KEPT, value),
};

/**
 * Ask the server. A ServerError for all that is no success.
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  if (key.get()) {
    headers.set("Authorization", `Bearer ${key.get()}`);
  }
  let response;
  try {
    response = await fetch(`${BASE}/${path}`, { ...options, headers, credentials: "omit" });
  } catch (error) {
    if (options.signal?.aborted) {
      throw error;
    }
    throw new ServerError("The server cannot be reached.");
  }
  if (!response.ok) {
    throw ServerError.of(await response.json().catch(() => null), response.status);
  }
  return response;
}

/** @returns {Promise<string[]>} the names of the models that are served */
export async function models() {
  const listed = await (await ask("models")).json();
  return listed.data.map((/** @type {{id: string}} */ model) => model.id);
}

/**
 * Ask for an answer as a stream.
 * @param {string} body
 * @param {AbortSignal} signal
 * @returns {Promise<{unenforced: string[], chunks: AsyncGenerator<any>}>} its chunks, and where in
 *     the request keywords are that are not enforced
 */
export async function complete(body, signal) {
  const headers = { "Content-Type": "application/json" };
  const response = await ask("chat/completions", { method: "POST", headers, body, signal });
  const told = response.headers.get("functionary-unenforced");
  const unenforced = told ? told.split(", ").map(decodeURIComponent) : [];
  return { unenforced, chunks: chunksOf(response) };
}

/** @param {Response} response */
async function* chunksOf(response) {
  for await (const text of eventsOf(response)) {
    if (text === "[DONE]") {
      return;
    }
    const chunk = JSON.parse(text);
    if (chunk.error) {
      throw ServerError.of(chunk);
    }
    yield chunk;
  }
  throw new ServerError("The connection was lost before the end of the answer.");
}
