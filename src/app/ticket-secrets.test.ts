import { describe, expect, test } from '@jest/globals';
import { objectMeta } from '../../test/support/kube-objects.ts';
import type { Secret } from '../model/core-objects.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import { TicketSecrets } from './ticket-secrets.ts';

const first = [Buffer.alloc(32, 'first')];
const shared = Buffer.alloc(32, 'shared');
const newer = Buffer.alloc(32, 'newer');

function secret(data: Readonly<Record<string, Buffer>>): Secret {
  const meta = objectMeta('ops/tickets');
  return { kind: 'Secret', meta, type: 'Opaque', data: new Map(Object.entries(data)) };
}

function start(name = 'ops/tickets') {
  const used: (readonly Uint8Array[])[] = [];
  const tickets = new TicketSecrets({
    first,
    rotationMs: 0,
    secret: name,
    use: (secrets) => used.push(secrets),
  });
  const see = (...objects: readonly Secret[]) => tickets.seen(createSnapshot(objects));
  return { tickets, used, see };
}

describe('secrets of session tickets', () => {
  test('come from the Secret while it has any', () => {
    const { used, see } = start();
    see();
    expect(used).toEqual([]);
    see(secret({ a: shared }));
    see(secret({ a: shared, b: newer }));
    expect(used).toEqual([[shared], [newer, shared]]);
  });

  test('are our own again without it, and those of a Secret that is gone open nothing', () => {
    const { used, see, tickets } = start();
    see(secret({ a: shared }));
    tickets.rotate();
    expect(used).toEqual([[shared]]);
    see(secret({ a: Buffer.alloc(3) }));
    expect(used[1]).toHaveLength(2);
    expect(used[1]?.[1]).toBe(first[0]);
    see();
    expect(used).toHaveLength(2);
  });

  test('of our own are replaced, and three are kept', () => {
    const { used, tickets, see } = start('');
    see(secret({ a: shared }));
    for (let times = 0; times < 4; times++) tickets.rotate();
    expect(used.map((secrets) => secrets.length)).toEqual([2, 3, 3, 3]);
    expect(new Set(used.flat()).size).toBe(5);
    expect(used[3]?.slice(1)).toEqual(used[2]?.slice(0, 2));
  });
});
