/**
 * The data of a response's server-sent events.
 * @param {Response} response
 * @returns {AsyncGenerator<string>}
 */
export async function* eventsOf(response) {
  const body = /** @type {ReadableStream} */ (response.body);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    const events = (rest + value).split("\n\n");
    rest = /** @type {string} */ (events.pop());
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length) {
        yield data.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
      }
    }
  }
}
