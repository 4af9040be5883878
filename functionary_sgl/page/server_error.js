/** What the server refused, or how a request failed, in the server's own words. */
export class ServerError extends Error {
  /**
   * @param {string} message
   * @param {string | null} [param] where in the request it is
   * @param {number} [status]
   */
  constructor(message, param = null, status = 0) {
    super(message);
    this.param = param;
    this.status = status;
  }

  /**
   * Of the body `{"error": {...}}`.
   * @param {any} body
   * @param {number} [status]
   */
  static of(body, status = 0) {
    const { message = "The server gave no reason.", param = null } = body?.error ?? {};
    return new ServerError(message, param, status);
  }
}
