import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
const POOL_IDS = 256;
const MAX_INCOMING = 128;

/** 32 hex digits each, from random bytes fetched for many requests at once. */
export class RequestIds {
  readonly #pool = Buffer.alloc(ID_BYTES * POOL_IDS);
  #next = POOL_IDS;

  create(): string {
    if (this.#next === POOL_IDS) {
      randomFillSync(this.#pool);
      this.#next = 0;
    }
    const start = this.#next++ * ID_BYTES;
    return this.#pool.toString('hex', start, start + ID_BYTES);
  }
}

/** Whether a client's X-Request-ID is taken over: 1 to 128 letters, digits, `-`, `_`, `.`, `:`, `=`, `+` or `/`. */
export function isUsableRequestId(id: string): boolean {
  if (id.length === 0 || id.length > MAX_INCOMING) return false;
  for (let index = 0; index < id.length; index++) {
    const code = id.charCodeAt(index);
    const alphanumeric =
      (code >= 0x30 && code <= 0x3a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
    if (!alphanumeric && !'-_.=+/'.includes(id.charAt(index))) return false;
  }
  return true;
}
