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

describe('objects of two namespaces on one host', () => {
  const mine = ingressOf('mine', { host: 'a.example' });
  const theirs = ingressOf('theirs', {
    namespace: 'theirs',
    host: 'a.example',
    path: '/theirs',
    created: '2026-02-01',
    annotations: { 'auth-tls-secret': 'missing' },
  });
  const their = { ...serviceOf('web'), metadata: { name: 'web', namespace: 'theirs' } };
  const theirsId = 'Ingress/theirs/theirs/0.0';

  function theirsIsForwarded({ table }: CompileResult): boolean {
    return table.routes.get(theirsId)?.action.kind === 'forward';
  }

  function codesOf({ diagnostics }: CompileResult, key: string): readonly string[] {
    return (diagnostics.get(key) ?? []).map(({ code }) => code);
  }

  test('the younger changes nothing for the older, and is closed there itself', () => {
    const steps = start(mine, their);
    const both = steps.set(theirs);
    expect([authOf(both), both.changes.hosts.set]).toEqual([undefined, []]);
    expect(both.changes.routes.set.map(({ id }) => id)).toEqual([theirsId]);
    expect([isServed(both, 'mine'), theirsIsForwarded(both)]).toEqual([true, false]);
    expect(codesOf(both, 'Ingress/theirs/theirs')).toEqual(['SP2205', 'SP3010']);
    expect(codesOf(both, 'Ingress/default/mine')).toEqual([]);
  });

  test('when the older goes the younger decides, until it is there again', () => {
    const steps = start(mine, their, theirs);
    const alone = steps.remove(mine);
    expect(authOf(alone)?.mode).toBe('closed');
    expect(theirsIsForwarded(alone)).toBe(true);
    expect(codesOf(alone, 'Ingress/theirs/theirs')).toEqual(['SP2205']);
    const again = steps.set(mine);
    expect([authOf(again), isServed(again, 'mine')]).toEqual([undefined, true]);
  });

  test('when the older goes to another host the younger decides', () => {
    const steps = start(mine, their, theirs);
    expect(authOf(steps.set(ingressOf('mine', { host: 'b.example' })))?.mode).toBe('closed');
    expect(authOf(steps.set(mine))).toBeUndefined();
  });

  test('an older one that comes later takes the decision away, and its namespace has it from then on', () => {
    const steps = start(their, theirs, ...secrets);
    expect(authOf(steps.set())?.mode).toBe('closed');
    expect(authOf(steps.set(mine))).toBeUndefined();
    const asking = ingressOf('later', {
      host: 'a.example',
      path: '/later',
      created: '2026-03-01',
      annotations: asks,
    });
    expect(authOf(steps.set(asking))?.authority?.id).toBe('default/ca');
    expect(authOf(steps.remove(asking))).toBeUndefined();
  });

  test('a canary is no reason to decide: its main is', () => {
    const canary = { canary: 'true', 'canary-weight': '10' };
    const steps = start(their, theirs, ingressOf('mine', { host: 'a.example', annotations: canary }));
    expect(authOf(steps.set())?.mode).toBe('closed');
  });

  test('an object without a path on the host has no say there, older or not', () => {
    const { spec, ...rest } = mine as { spec: object };
    const steps = start(their, theirs, { ...rest, spec: { ...spec, rules: [{ host: 'a.example' }] } });
    expect(authOf(steps.set())?.mode).toBe('closed');
  });

  test("the controller's own default backend has no say", () => {
    const steps = new CompileSteps({ defaultBackendService: 'default/web' });
    const result = steps.set(serviceOf('web'), sliceOf('web', '10.0.0.1'), theirs);
    expect(authOf(result)?.mode).toBe('closed');
  });
});
