import { describe, expect, test } from '@jest/globals';

import { CompileSteps, ingressOf, secretOf, serviceOf, sliceOf } from '../../test/support/compile-steps.ts';
import { TestAuthority } from '../../test/support/test-authority.ts';
import type { CompileResult } from './compiler.ts';

// What clients of a host have to show, as objects come and go.

const [first, second] = [TestAuthority.root('first'), TestAuthority.root('second')];
const asks = { 'auth-tls-secret': 'ca' } as const;
const older = ingressOf('older', { host: 'a.example', annotations: asks });
const younger = ingressOf('younger', {
  host: 'a.example',
  path: '/y',
  created: '2026-02-01',
  annotations: { 'auth-tls-secret': 'other' },
});
const secrets = [
  secretOf('ca', { 'ca.crt': first.certificate }),
  secretOf('other', { 'ca.crt': second.certificate }),
];

function start(...more: readonly object[]): CompileSteps {
  const steps = new CompileSteps();
  steps.set(serviceOf('web'), sliceOf('web', '10.0.0.1'), ...more);
  return steps;
}

function authOf({ table }: CompileResult, host = 'a.example') {
  return table.hosts.get(host)?.clientAuth;
}

function isServed({ table }: CompileResult, name: string): boolean {
  return table.routes.get(`Ingress/default/${name}/0.0`)?.action.kind === 'forward';
}

describe('the authority of a host', () => {
  test('that changes is replaced at once, by reference and by content', () => {
    const steps = start(older, ...secrets);
    const before = authOf(steps.set());
    const renewed = steps.set(secretOf('ca', { 'ca.crt': second.certificate }));
    expect(authOf(renewed)?.authority?.id).toBe('default/ca');
    expect(authOf(renewed)?.authority?.digest).not.toBe(before?.authority?.digest);
    expect(renewed.table.authorities.get('default/ca')?.ca).toBe(second.certificate);
    const moved = steps.set(
      ingressOf('older', { host: 'a.example', annotations: { 'auth-tls-secret': 'other' } }),
    );
    expect([...moved.table.authorities.keys()]).toEqual(['default/other']);
  });

  test.each([
    ['garbage', 'garbage'],
    ['nothing', ''],
    ['a certificate that is cut off', first.certificate.slice(0, -40)],
  ])('that turns to %s closes the host: what it was before is not believed', (_, text) => {
    const steps = start(older, ...secrets);
    const closed = steps.set(secretOf('ca', { 'ca.crt': text }));
    expect(authOf(closed)).toEqual({ mode: 'closed', verifyDepth: 1, passCertificate: false });
    expect(closed.table.authorities.size).toBe(0);
    expect(authOf(steps.set(...secrets))?.mode).toBe('on');
  });

  test('that goes closes the host, and is asked for', () => {
    const steps = start(older, ...secrets);
    const gone = steps.remove(secretOf('ca', {}));
    expect(authOf(gone)?.mode).toBe('closed');
    expect([...gone.references]).toEqual(['Secret/default/ca']);
  });

  test('goes from the table with the last object that asks', () => {
    const steps = start(older, ...secrets);
    const none = steps.remove(older);
    expect([none.table.hosts.size, none.table.authorities.size, none.references.size]).toEqual([0, 0, 0]);
  });
});

describe('two objects that ask clients of a host for different certificates', () => {
  test('the older decides, and the younger is closed there until it may decide itself', () => {
    const steps = start(older, younger, ...secrets);
    const both = steps.set();
    expect(authOf(both)?.authority?.id).toBe('default/ca');
    expect([isServed(both, 'older'), isServed(both, 'younger')]).toEqual([true, false]);
    const alone = steps.remove(older);
    expect(authOf(alone)?.authority?.id).toBe('default/other');
    expect(isServed(alone, 'younger')).toBe(true);
    expect(isServed(steps.set(older), 'younger')).toBe(false);
  });

  test('it may be the younger that changes its mind', () => {
    const steps = start(older, younger, ...secrets);
    const agreed = ingressOf('younger', { host: 'a.example', path: '/y', annotations: asks });
    expect(isServed(steps.set(agreed), 'younger')).toBe(true);
    const silent = ingressOf('younger', { host: 'a.example', path: '/y' });
    expect(isServed(steps.set(silent), 'younger')).toBe(true);
  });

  test('only what concerns the host is done again', () => {
    const steps = start(older, ...secrets, ingressOf('elsewhere'));
    const { compiledObjects, changes } = steps.set(younger);
    expect(compiledObjects).toBe(1);
    expect(changes.routes.set.map(({ id }) => id)).toEqual(['Ingress/default/younger/0.0']);
    expect(steps.remove(older).changes.routes.set.map(({ id }) => id)).toEqual([
      'Ingress/default/younger/0.0',
    ]);
  });
});
