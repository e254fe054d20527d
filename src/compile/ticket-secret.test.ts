import { describe, expect, test } from '@jest/globals';
import type { Secret } from '../model/core-objects.ts';
import { decodeObject } from '../model/decode-object.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import { defaultCompileOptions } from './compile-options.ts';
import { createCompiler } from './compiler.ts';
import { readTicketSecrets } from './ticket-secret.ts';

const bytes = (length: number, fill: string): Buffer => Buffer.alloc(length, fill);

function secret(values: Readonly<Record<string, Buffer>>): Secret {
  const data = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value.toString('base64')]),
  );
  const metadata = { name: 'tickets', namespace: 'ops' };
  const { object } = decodeObject(
    { apiVersion: 'v1', kind: 'Secret', metadata, data },
    { identity: 'content' },
  );
  if (object?.kind !== 'Secret') throw new Error('not decoded');
  return object;
}

describe('values for session tickets', () => {
  test('are those of the last three names, the newest first', () => {
    const values = {
      '2026-03': bytes(32, 'c'),
      '2026-01': bytes(32, 'a'),
      '2026-04': bytes(80, 'd'),
      '2026-02': bytes(48, 'b'),
    };
    expect(readTicketSecrets(secret(values))).toEqual({
      secrets: [values['2026-04'], values['2026-03'], values['2026-02']],
      short: [],
    });
  });

  test('leave out what is too short, which takes no place', () => {
    const values = { a: bytes(32, 'a'), b: bytes(31, 'b'), c: Buffer.alloc(0), d: bytes(32, 'd') };
    expect(readTicketSecrets(secret(values))).toEqual({ secrets: [values.d, values.a], short: ['c', 'b'] });
  });
});

describe('the Secret', () => {
  const options = { ...defaultCompileOptions, ticketSecret: 'ops/tickets' };
  const compile = (object: Secret | undefined) => {
    const compiler = createCompiler(options);
    const result = compiler.compile(createSnapshot([]));
    return object === undefined ? result : compiler.compile(createSnapshot([object]));
  };
  const findings = (object: Secret | undefined) =>
    [...compile(object).diagnostics.values()].flat().map(({ code, path, message }) => [code, path, message]);

  test('is referred to, and stays out of the table', () => {
    const { references, table, diagnostics } = compile(secret({ a: bytes(32, 'a') }));
    expect(references).toEqual(new Set(['Secret/ops/tickets']));
    expect(diagnostics.size).toBe(0);
    expect(table.certificates.size + table.hosts.size).toBe(0);
  });

  test('is reported while it is missing, and where it cannot be used', () => {
    expect(findings(undefined)).toEqual([
      ['SP2207', '', 'Secret "ops/tickets" for session tickets does not exist'],
    ]);
    expect(findings(secret({ a: bytes(5, 'a'), b: bytes(32, 'b') }))).toEqual([
      ['SP2208', 'data["a"]', 'Leaving out a value of 5 bytes for session tickets; want at least 32'],
    ]);
    expect(findings(secret({}))).toEqual([
      [
        'SP2208',
        'data',
        'Secret "ops/tickets" holds nothing for session tickets; want a value of at least 32 random bytes',
      ],
    ]);
  });

  test('is not looked at without the flag', () => {
    const { references, diagnostics } = createCompiler(defaultCompileOptions).compile(
      createSnapshot([secret({})]),
    );
    expect(references.size + diagnostics.size).toBe(0);
  });
});
