import { createHash, hash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';

import { kinds } from '../model/kinds.ts';
import { SnapshotStore } from '../model/snapshot-store.ts';
import type { StoreChange } from '../model/snapshot-store.ts';
import type { ModelObject, Snapshot } from '../model/snapshot.ts';

// A snapshot as bytes, in pieces, so that neither way holds the event loop for long:
//   magic line · u32 length and JSON of the head · (u32 length and some objects in V8's form)… · u32 0 · SHA-256 of all before.
// V8's form keeps Maps, Buffers and undefined as they are. What was not written by this very version is not read: objects
// are stored as this version types them.

const magic = Buffer.from('sallyport-snapshot 1\n', 'latin1');
const digestBytes = 32;
/** Entries (endpoints, rules) of the objects that are taken at a time: a Buffer for each object would cost as much to free. */
const groupWeight = 100;
/** Bytes decoded before other work gets its turn. */
const decodeBytes = 256 * 1024;

export interface SnapshotHead {
  /** Of Sallyport. */
  readonly version: string;
  /** Since the epoch. */
  readonly savedAtMs: number;
}

export type DecodedSnapshot =
  | { readonly kind: 'snapshot'; readonly head: SnapshotHead; readonly snapshot: Snapshot }
  /** Why it cannot be used, for people. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** Pieces of some objects each. Their concatenation is the file. */
export function* encodeSnapshot(head: SnapshotHead, snapshot: Snapshot): Generator<Buffer> {
  const digest = createHash('sha256');
  const next = (...parts: readonly Buffer[]): Buffer => {
    const piece = Buffer.concat(parts);
    digest.update(piece);
    return piece;
  };
  yield next(magic, ...frame(Buffer.from(JSON.stringify(head))));
  for (const group of groupsOf(snapshot)) yield next(...frame(serialize(group)));
  yield next(lengthOf(0));
  yield digest.digest();
}

function* groupsOf({ objects }: Snapshot): Generator<readonly ModelObject[]> {
  let group: ModelObject[] = [];
  let weight = 0;
  for (const kind of kinds) {
    for (const object of objects[kind].values()) {
      group.push(object);
      weight += weightOf(object);
      if (weight < groupWeight) continue;
      yield group;
      group = [];
      weight = 0;
    }
  }
  if (group.length > 0) yield group;
}

function weightOf(object: ModelObject): number {
  if (object.kind === 'EndpointSlice') return 1 + object.endpoints.length;
  return object.kind === 'Ingress' || object.kind === 'Route' ? 1 + object.rules.length : 1;
}

/** Never throws or rejects, whatever the bytes are. */
export async function decodeSnapshot(file: Buffer, version: string): Promise<DecodedSnapshot> {
  if (!file.subarray(0, magic.length).equals(magic)) return unusable('it is not a snapshot of this format');
  const end = file.length - digestBytes;
  if (end < magic.length || !hash('sha256', file.subarray(0, end), 'buffer').equals(file.subarray(end))) {
    return unusable('it is damaged: its content and its digest disagree');
  }
  try {
    const frames = framesOf(file.subarray(magic.length, end));
    const head = readHead(frames.next().value);
    if (head === undefined) return unusable('its head cannot be read');
    if (head.version !== version)
      return unusable(`it was written by version ${JSON.stringify(head.version)}`);
    return { kind: 'snapshot', head, snapshot: await readObjects(frames) };
  } catch (error) {
    return unusable(`it cannot be decoded: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unusable(reason: string): DecodedSnapshot {
  return { kind: 'unusable', reason };
}

async function readObjects(frames: Iterable<Buffer>): Promise<Snapshot> {
  const changes: StoreChange[] = [];
  let size = 0;
  for (const bytes of frames) {
    // A copy, so that the Buffers of a Secret do not keep the whole file in memory.
    for (const object of deserialize(Buffer.from(bytes)) as readonly ModelObject[]) {
      if (!kinds.includes(object.kind))
        throw new Error(`an object is of kind ${JSON.stringify(object.kind)}`);
      changes.push({ type: 'set', object });
    }
    size += bytes.length;
    if (size < decodeBytes) continue;
    size = 0;
    // oxlint-disable-next-line no-await-in-loop -- lets other work have its turn
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  return new SnapshotStore().apply(changes).snapshot;
}

function readHead(bytes: Buffer | undefined): SnapshotHead | undefined {
  const head: unknown = bytes === undefined ? undefined : JSON.parse(bytes.toString());
  if (typeof head !== 'object' || head === null) return undefined;
  const { version, savedAtMs } = head as Partial<Record<string, unknown>>;
  return typeof version === 'string' && typeof savedAtMs === 'number' ? { version, savedAtMs } : undefined;
}

function* framesOf(bytes: Buffer): Generator<Buffer, undefined> {
  let at = 0;
  for (;;) {
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (length === 0) break;
    if (at + length > bytes.length) throw new Error('an object is cut off');
    yield bytes.subarray(at, at + length);
    at += length;
  }
  if (at !== bytes.length) throw new Error('there is something after its end');
}

function frame(bytes: Buffer): readonly [Buffer, Buffer] {
  return [lengthOf(bytes.length), bytes];
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(length);
  return bytes;
}
