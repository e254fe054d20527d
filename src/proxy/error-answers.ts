import type { LocalAnswer } from '../filters/filter.ts';
import { errorCodes } from '../telemetry/error-codes.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';

/** The answer for an error: short plain text that tells the client nothing about the inside, and the id to ask about. */
export function errorAnswer(code: ErrorCodeName, requestId: string): LocalAnswer {
  const { status, text } = errorCodes[code];
  const headers: [string, string][] = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Request-ID', requestId],
  ];
  if (status === 405) headers.push(['Allow', 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS']);
  return { status, headers, body: `${status} ${text}\n` };
}

/** `OPTIONS *` asks about this server, not about a resource: answered here (RFC 9110 §9.3.7). */
export const optionsAnswer: LocalAnswer = {
  status: 200,
  headers: [['Allow', 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS']],
  body: '',
};
