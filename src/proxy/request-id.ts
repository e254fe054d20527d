import { randomBytes } from 'node:crypto';

const PREFIX_BYTES = 14;
const IDS_PER_PREFIX = 65_536;
const MAX_INCOMING = 128;

/** `0000` to `ffff`: the end of each id. */
const suffixes = Array.from({ length: IDS_PER_PREFIX }, (_, index) => index.toString(16).padStart(4, '0'));

/** 32 hex digits each: 28 random ones that are drawn anew after 65,536 ids, and a count that starts at a random place. */
export class RequestIds {
  #prefix = '';
  #next = 0;
  #left = 0;

  create(): string {
    if (this.#left === 0) this.#draw();
    this.#left--;
    this.#next = (this.#next + 1) % IDS_PER_PREFIX;
    return this.#prefix + (suffixes[this.#next] as string);
  }

  #draw(): void {
    this.#prefix = randomBytes(PREFIX_BYTES).toString('hex');
    this.#next = randomBytes(2).readUInt16BE();
    this.#left = IDS_PER_PREFIX;
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
