import type { HeaderList } from '../../util/header-list.ts';
import type { AnswerHead } from '../downstream.ts';
import { httpDate } from '../http-date.ts';

/** Makes an answer's fields those of HTTP/2, in place. `hsts`: value of Strict-Transport-Security, '' for none. */
export function prepareAnswer({ headers, length, status }: AnswerHead, hsts: string): void {
  dropConnectionFields(headers);
  if (hsts !== '') headers.set('Strict-Transport-Security', hsts);
  if (!headers.has('date')) headers.push('Date', 'date', httpDate());
  // RFC 9110 §8.6 forbids it with 204.
  if (length !== undefined && length >= 0 && status !== 204)
    headers.push('Content-Length', 'content-length', String(length));
}

export function dropConnectionFields(headers: HeaderList): void {
  const { lower, length } = headers;
  let kept = 0;
  for (let index = 0; index < length; index++) {
    if (!isConnectionField(lower[index] as string)) headers.place(index, kept++);
  }
  headers.truncate(kept);
}

/** Fields of an HTTP/1.1 connection (RFC 9113 §8.2.2): an answer with one of them would be malformed. Asked for every field. */
function isConnectionField(name: string): boolean {
  switch (name.length) {
    case 7:
      return name === 'upgrade';
    case 10:
      return name === 'connection' || name === 'keep-alive';
    case 16:
      return name === 'proxy-connection';
    case 17:
      return name === 'transfer-encoding';
    default:
      return false;
  }
}
