import type { Json } from './object-store.ts';

/** A Status object (meta/v1): what an API server answers in place of an object. */
export function statusBody(code: number, reason: string, message: string): Json {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}
