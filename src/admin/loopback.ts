import type { IncomingMessage } from 'node:http';

/**
 * Why a request may not see what is for this machine only; undefined when it may. The peer must be local; and the
 * Host must be a local name, or a page on a foreign site could read the answer after pointing its own DNS name here.
 * Whatever came through a proxy (this one included) says nothing about who asked.
 */
export function refuseForeign(request: IncomingMessage): string | undefined {
  if (!isLoopback(request.socket.remoteAddress ?? ''))
    return 'this path answers on the loopback interface only';
  if (!isLocalName(request.headers.host ?? ''))
    return 'the Host field must be localhost or a loopback address';
  if (request.headers['x-forwarded-for'] !== undefined || request.headers.forwarded !== undefined) {
    return 'this path does not answer through a proxy';
  }
  return undefined;
}

const loopbackV4 = /^127(?:\.\d{1,3}){3}$/;

function isLoopback(address: string): boolean {
  return address === '::1' || loopbackV4.test(address.replace(/^::ffff:/i, ''));
}

function isLocalName(host: string): boolean {
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || loopbackV4.test(name);
}
