import { expect, test } from '@jest/globals';
import { testPair } from '../../test/support/certificates.ts';
import type { ObjectChange } from '../model/snapshot.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import { createTable } from '../table/create-table.ts';
import { CertificateWatch } from './certificate-watch.ts';

const DAY_MS = 86_400_000;

test('tells when certificates end, and has them looked at again when they have', () => {
  const began = Date.now();
  let now = began;
  const updates: (readonly ObjectChange[])[] = [];
  const entry = { id: 'team/cert', digest: 'd', ...testPair(['a.example']) };
  const table = createTable({ certificates: new Map([[entry.id, entry]]) }, 1);
  const watch = new CertificateWatch({
    table: () => table,
    update: (_, changed) => updates.push(changed),
    now: () => now,
  });
  const [expiry] = watch.expiries();
  expect(expiry).toMatchObject({ namespace: 'team', secret: 'cert' });
  expect((expiry?.seconds ?? 0) * 1000 - began).toBeGreaterThan(9 * DAY_MS);
  watch.seen(createSnapshot([]));
  now += 9 * DAY_MS;
  watch.look();
  expect(updates).toEqual([]);
  now += 2 * DAY_MS;
  watch.look();
  watch.look();
  expect(updates).toEqual([[{ kind: 'Secret', key: 'team/cert' }]]);
});
