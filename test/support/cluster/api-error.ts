/** An answer that is no success, with what the API server's `Status` object says about it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** `NotFound`, `Invalid`, `Forbidden`, … */
  readonly reason: string;
  /** What the API server wrote, without what we were about to do. */
  readonly detail: string;

  constructor(action: string, status: number, body: unknown) {
    const { reason, message } = (typeof body === 'object' && body !== null ? body : {}) as {
      readonly reason?: string;
      readonly message?: string;
    };
    const detail = message ?? String(body);
    super(`${action}: ${status}: ${detail}`);
    this.status = status;
    this.reason = reason ?? '';
    this.detail = detail;
  }
}
