import { byId } from "./dom.js";

/**
 * Put `text` on the clipboard. Where a page may not (without HTTPS, on another machine), show it, all
 * of it selected.
 * @param {string} text
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    byId("status").textContent = "Copied.";
  } catch {
    const dialog = byId("copied");
    const field = dialog.querySelector("textarea");
    field.value = text;
    dialog.showModal();
    field.select();
  }
}
