import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { ingress, objectMeta, secret, service } from '../../test/support/kube-objects.ts';
import { startObjects, storeChange } from '../../test/support/random-objects.ts';
import { SimulatedTime } from '../../test/support/simulated-time.ts';
import { SnapshotStore, createSnapshot } from '../model/snapshot-store.ts';
import type { ModelObject, Snapshot } from '../model/snapshot.ts';
import { createLog } from '../telemetry/log.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot-codec.ts';
import { SnapshotFile } from './snapshot-file.ts';
import type { SnapshotFileOptions } from './snapshot-file.ts';

const head = { version: '1.2.3', savedAtMs: 1000 };

const encoded = (snapshot: Snapshot): Buffer => Buffer.concat([...encodeSnapshot(head, snapshot)]);

/** One object of each kind, with what JSON would lose: Maps, Buffers, undefined. */
const everyKind: readonly ModelObject[] = [
  {
    ...ingress('a/web'),
    meta: objectMeta('a/web', 3, {
      annotations: new Map([['k', 'v\u{1F600}']]),
      labels: new Map([['', '']]),
    }),
  },
  { kind: 'IngressClass', meta: objectMeta('ours'), controller: 'sallyport.dev/c', isDefault: true },
  service('a/s'),
  {
    kind: 'EndpointSlice',
    meta: objectMeta('a/s-1'),
    service: 's',
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['10.0.0.1'],
        ready: true,
        serving: true,
        terminating: false,
        zone: undefined,
        nodeName: 'n',
      },
    ],
    ports: [{ name: '', port: undefined, protocol: 'TCP' }],
  },
  {
    ...secret('a/tls'),
    data: new Map([
      ['tls.key', Buffer.from([0, 255, 128])],
      ['empty', Buffer.alloc(0)],
    ]),
  },
  { kind: 'ConfigMap', meta: objectMeta('a/c'), data: new Map([['ca.crt', 'PEM']]) },
  { kind: 'Namespace', meta: objectMeta('a') },
  {
    kind: 'Route',
    meta: objectMeta('a/r'),
    ingressClassName: undefined,
    hosts: ['a.example'],
    tls: { secretName: 'tls', namespace: undefined, clientCertificate: undefined },
    rules: [],
  },
  {
    kind: 'ReferenceGrant',
    meta: objectMeta('b/g'),
    from: [{ group: 'sallyport.dev', kind: 'Route', namespace: 'a' }],
    to: [{ group: '', kind: 'Secret', name: undefined }],
  },
];

/** The maps of a snapshot without the order of their entries, which means nothing. */
function contentOf({ objects, slicesByService }: Snapshot): Record<string, ReadonlyMap<string, unknown>> {
  const kinds = Object.entries(objects).map(([kind, map]) => [kind, new Map<string, unknown>(map)] as const);
  return { ...Object.fromEntries(kinds), slicesByService: new Map(slicesByService) };
}

describe('the bytes of a snapshot', () => {
  test('bring back every kind as it was', async () => {
    const snapshot = createSnapshot(everyKind);
    const decoded = await decodeSnapshot(encoded(snapshot), '1.2.3');
    expect(decoded).toStrictEqual({ kind: 'snapshot', head, snapshot });
    const found = decoded.kind === 'snapshot' ? decoded.snapshot.objects.Secret.get('a/tls') : undefined;
    expect(Buffer.isBuffer(found?.data.get('tls.key'))).toBe(true);
  });

  test('bring back any objects as they were', async () => {
    await fc.assert(
      fc.asyncProperty(startObjects, fc.array(storeChange), async (objects, changes) => {
        const store = new SnapshotStore();
        store.apply([...objects.map((object) => ({ type: 'set' as const, object })), ...changes]);
        const decoded = await decodeSnapshot(encoded(store.snapshot), '1.2.3');
        if (decoded.kind !== 'snapshot') throw new Error(decoded.reason);
        expect(decoded.head).toEqual(head);
        expect(contentOf(decoded.snapshot)).toEqual(contentOf(store.snapshot));
      }),
      { numRuns: 50 },
    );
  });

  test('come in pieces that can be told apart from none', () => {
    const many = createSnapshot(Array.from({ length: 2000 }, (_, at) => service(`a/s${at}`)));
    const pieces = [...encodeSnapshot(head, many)];
    expect(pieces.length).toBeGreaterThan(4);
    for (const piece of pieces) expect(piece.length).toBeLessThan(70_000);
  });

  test('cut off anywhere, or with any bit turned, are not used', async () => {
    const file = encoded(createSnapshot([service('a/s'), secret('a/tls')]));
    for (let length = 0; length < file.length; length++) {
      // oxlint-disable-next-line no-await-in-loop -- many small ones
      const decoded = await decodeSnapshot(file.subarray(0, length), '1.2.3');
      expect(decoded.kind).toBe('unusable');
    }
    for (let at = 0; at < file.length; at++) {
      const turned = Buffer.from(file);
      turned[at] = (turned[at] ?? 0) ^ (1 << (at % 8));
      // oxlint-disable-next-line no-await-in-loop -- many small ones
      const decoded = await decodeSnapshot(turned, '1.2.3');
      expect(decoded.kind).toBe('unusable');
    }
    const longer = await decodeSnapshot(Buffer.concat([file, Buffer.from('x')]), '1.2.3');
    expect(longer.kind).toBe('unusable');
  });

  test('of another version are not used', async () => {
    expect(await decodeSnapshot(encoded(createSnapshot([])), '1.2.4')).toEqual({
      kind: 'unusable',
      reason: 'it was written by version "1.2.3"',
    });
  });

  test('that are anything else are not used', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, withMagic) => {
        const start = withMagic ? [Buffer.from('sallyport-snapshot 1\n')] : [];
        const decoded = await decodeSnapshot(Buffer.concat([...start, bytes]), '1.2.3');
        expect(decoded.kind).toBe('unusable');
      }),
    );
  });
});

describe('SnapshotFile', () => {
  let folder: string;
  let path: string;
  let time: SimulatedTime;
  let nowMs: number;
  let lines: {
    readonly level: string;
    readonly msg: string;
    readonly reason?: string;
    readonly err?: unknown;
  }[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'snapshot-'));
    path = join(folder, 'last-good');
    time = new SimulatedTime();
    nowMs = 1_000_000;
    lines = [];
  });

  afterEach(async () => {
    time.expectIdle();
    await rm(folder, { recursive: true, force: true });
  });

  const create = (options: Partial<SnapshotFileOptions> = {}): SnapshotFile =>
    new SnapshotFile({
      path,
      version: '1.2.3',
      log: createLog({ write: (text) => lines.push(JSON.parse(text) as (typeof lines)[number]) }, 'info'),
      clock: time.clock(),
      wallClock: () => nowMs,
      ...options,
    });

  const one = createSnapshot([service('a/one')]);
  const two = createSnapshot([service('a/two'), secret('a/tls')]);

  test('keeps what was offered last, for its owner only, and nothing beside it', async () => {
    const file = create();
    file.offer(one);
    file.offer(two);
    await file.stop();
    nowMs += 5000;
    expect(await create().load()).toStrictEqual({ snapshot: two, ageMs: 5000 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['last-good']);
  });

  test('writes at most once a minute, and the rest at the end', async () => {
    const file = create();
    const saved = async (): Promise<readonly string[]> => [
      ...((await create().load())?.snapshot.objects.Service.keys() ?? []),
    ];
    file.offer(one);
    await time.advance(1999);
    expect(await readdir(folder)).toEqual([]);
    await time.advance(1);
    await file.written();
    expect(await saved()).toEqual(['a/one']);
    file.offer(two);
    await time.advance(59_000);
    await file.written();
    expect(await saved()).toEqual(['a/one']);
    await time.advance(1000);
    await file.written();
    expect(await saved()).toEqual(['a/two']);
    file.offer(one);
    await file.stop();
    expect(await saved()).toEqual(['a/one']);
    file.offer(two);
    time.expectIdle();
  });

  test('takes what is offered while it writes for the next time', async () => {
    const file = create();
    file.offer(one);
    await time.advance(2000);
    file.offer(two);
    await file.written();
    expect((await create().load())?.snapshot).toStrictEqual(one);
    await time.advance(60_000);
    await file.written();
    expect((await create().load())?.snapshot).toStrictEqual(two);
    await file.stop();
  });

  test('takes the place of a file that others might read, and of a half-written one', async () => {
    await writeFile(path, 'old');
    await chmod(path, 0o644);
    await writeFile(`${path}.new`, 'half');
    await chmod(`${path}.new`, 0o666);
    const file = create();
    file.offer(one);
    await file.stop();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await create().load())?.snapshot).toStrictEqual(one);
  });

  test.each([
    ['there is none', undefined],
    ['it is not a snapshot of this format', 'something else'],
    ['it is damaged: its content and its digest disagree', 'sallyport-snapshot 1\nand no more'],
  ])('says why it is not used: %s', async (reason, content) => {
    if (content !== undefined) await writeFile(path, content);
    expect(await create().load()).toBeUndefined();
    expect(lines).toEqual([expect.objectContaining({ msg: 'snapshot file not used', reason })]);
  });

  test('is not used when it is too old; a clock that was set back does not make it so', async () => {
    const file = create();
    file.offer(one);
    await file.stop();
    nowMs += 25 * 3_600_000;
    expect(await create().load()).toBeUndefined();
    expect(lines.at(-1)?.reason).toBe('it is 25 h old, want at most 24 h');
    nowMs = 0;
    expect((await create().load())?.ageMs).toBe(0);
  });

  test('that cannot be written says so once, keeps the old one, and is tried again', async () => {
    const file = create({ path: join(folder, 'later/last-good') });
    file.offer(one);
    await time.advance(2000);
    await file.written();
    file.offer(two);
    await time.advance(60_000);
    await file.written();
    expect(lines.map(({ msg }) => msg)).toEqual(['snapshot file cannot be written']);
    await file.stop();
  });

  test('of a version that nobody knows is left as it is', async () => {
    const file = create({ version: '9.9.9' });
    file.offer(one);
    await file.stop();
    const before = await readFile(path);
    expect(await create().load()).toBeUndefined();
    expect(await readFile(path)).toEqual(before);
  });
});
