import { describe, expect, test } from '@jest/globals';

import { decodeContent, onlyStatusDiffers, readRaw } from './project-object.ts';
import type { RawObject } from './project-object.ts';

function ingress(metadata: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    metadata: { name: 'a', namespace: 'web', uid: 'u', resourceVersion: '7', generation: 2, ...metadata },
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
    status: { loadBalancer: {} },
  };
}

function read(metadata: Record<string, unknown> = {}): RawObject {
  const raw = readRaw('Ingress', ingress(metadata));
  if (raw === undefined) throw new Error('not read');
  return raw;
}

describe('an object as an API server sends it', () => {
  test('is read with its identity, without what nobody needs', () => {
    const raw = read({
      managedFields: [{ manager: 'kubectl' }],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' },
    });
    expect(raw).toMatchObject({ key: 'web/a', uid: 'u', resourceVersion: '7', generation: 2 });
    expect(raw.annotations).toEqual({ kept: 'yes' });
    expect(JSON.stringify(raw.content)).not.toMatch(/managedFields|last-applied|status/);
    expect(raw.status).toEqual({ loadBalancer: {} });
  });

  test('inherits its kind from the list that it came in', () => {
    const { object, diagnostics } = decodeContent(read());
    expect(diagnostics).toEqual([]);
    expect(object).toMatchObject({ kind: 'Ingress', meta: { uid: 'u', resourceVersion: '7' } });
  });

  test('of a kind that is not reported on is read without its status', () => {
    const raw = { metadata: { name: 'a', namespace: 'web', uid: 'u', resourceVersion: '7' }, status: {} };
    expect(readRaw('Service', raw)?.status).toBeUndefined();
  });

  test.each([
    ['nothing', undefined],
    ['a text', 'Ingress'],
    ['a list', []],
    ['without metadata', { spec: {} }],
    ['without a name', ingress({ name: undefined })],
    ['with a number for a name', ingress({ name: 7 })],
    ['without a uid', ingress({ uid: '' })],
    ['without a version', ingress({ resourceVersion: undefined })],
    ['without its namespace', ingress({ namespace: undefined })],
    ['of another kind', { ...ingress(), kind: 'Route' }],
  ])('is none: %s', (_what, raw) => {
    expect(readRaw('Ingress', raw)).toBeUndefined();
  });
});

describe('a version that differs in its status only', () => {
  const known = decodeContent(read({ labels: { a: '1' }, annotations: { b: '2' } })).object;
  const same = { labels: { a: '1' }, annotations: { b: '2' } };

  test.each([
    ['has the same generation, labels and annotations', {}, true],
    ['has not: generation', { generation: 3 }, false],
    ['has not: a label', { labels: { a: '2' } }, false],
    ['has not: a label less', { labels: {} }, false],
    ['has not: an annotation more', { annotations: { b: '2', c: '' } }, false],
    ['has not: uid', { uid: 'other' }, false],
    ['cannot be told without a generation', { generation: 0 }, false],
  ])('%s', (_what, difference, expected) => {
    if (known === undefined) throw new Error('not decoded');
    expect(onlyStatusDiffers(known, read({ ...same, resourceVersion: '8', ...difference }))).toBe(expected);
  });
});
