import type { RequestHead } from './message-head.ts';

/**
 * Tells the four forms of a request target apart (RFC 9112 §3.2) and fills the head's authority, scheme and path from it.
 * `host` is the Host field's value, undefined when there is none. Returns what is wrong, or '' when nothing is.
 */
export function readTarget(head: RequestHead, host: string | undefined): string {
  const { target } = head;
  head.authority = host ?? '';
  head.targetScheme = '';
  head.pathAndQuery = target;
  if (head.method === 'CONNECT') return readAuthorityForm(head);
  if (target.charCodeAt(0) === 0x2f) return '';
  if (target === '*') return head.method === 'OPTIONS' ? '' : 'asterisk-form without OPTIONS';
  return readAbsoluteForm(head, host);
}

function readAuthorityForm(head: RequestHead): string {
  const { target } = head;
  const colon = target.lastIndexOf(':');
  head.pathAndQuery = '';
  if (colon < 1 || colon > target.length - 2) return 'CONNECT target is not an authority';
  for (let index = 0; index < target.length; index++) {
    const byte = target.charCodeAt(index);
    const isFine =
      index > colon ? byte >= 0x30 && byte <= 0x39 : byte !== 0x2f && byte !== 0x3f && byte !== 0x40;
    if (!isFine) return 'CONNECT target is not an authority';
  }
  return '';
}

function readAbsoluteForm(head: RequestHead, host: string | undefined): string {
  const { target } = head;
  const start = schemeLength(head);
  if (start === 0) return 'request target has no known form';
  let stop = start;
  while (stop < target.length && target.charCodeAt(stop) !== 0x2f && target.charCodeAt(stop) !== 0x3f) stop++;
  const authority = target.slice(start, stop);
  if (authority === '') return 'absolute-form without an authority';
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase())
    return 'Host differs from the target';
  head.authority = authority;
  const rest = target.slice(stop);
  if (rest === '') head.pathAndQuery = head.method === 'OPTIONS' ? '*' : '/';
  else head.pathAndQuery = rest.charCodeAt(0) === 0x2f ? rest : `/${rest}`;
  return '';
}

/** Sets the scheme and returns the length of it with its `://`; 0 for one that is neither http nor https. */
function schemeLength(head: RequestHead): number {
  const lower = head.target.slice(0, 8).toLowerCase();
  if (lower.startsWith('http://')) {
    head.targetScheme = 'http';
    return 7;
  }
  if (lower !== 'https://') return 0;
  head.targetScheme = 'https';
  return 8;
}
