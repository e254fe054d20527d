import type { ReceivedRequest } from './api-request.ts';
import { selectedName } from './api-request.ts';
import type { ObjectStore, StoredEvent } from './object-store.ts';
import type { ResponseOut } from './response-out.ts';
import { statusBody } from './status-body.ts';

/** One watch that a client has open. It follows the store until a test stalls it. */
export class OpenWatch {
  readonly request: ReceivedRequest;
  /** Resolves when the watch is over, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #store: ObjectStore;
  readonly #out: ResponseOut;
  readonly #stopFollowing: () => void;
  #stalled = false;

  constructor(store: ObjectStore, request: ReceivedRequest, out: ResponseOut) {
    this.#store = store;
    this.#out = out;
    this.request = request;
    this.closed = out.closed;
    const version = Number(request.query.get('resourceVersion') ?? '0');
    const missed = store.since(version);
    if (missed === undefined) this.#stopFollowing = () => undefined;
    else {
      for (const event of missed) this.#tell(event);
      // As a real one: events up to the version that was asked for are never told, even when the store went back.
      this.#stopFollowing = store.onEvent((event) => {
        if (event.version > version) this.#tell(event);
      });
    }
    void out.closed.then(this.#stopFollowing);
    if (missed === undefined) this.error(410, 'Expired', `too old resource version: ${version}`);
  }

  /** From now on nothing is sent by itself, and the stream stays open. */
  stall(): void {
    this.#stalled = true;
  }

  /** Sends bytes as they are. */
  send(bytes: Buffer | string): void {
    this.#out.write(bytes);
  }

  event(type: string, object: unknown): void {
    this.send(`${JSON.stringify({ type, object })}\n`);
  }

  bookmark(version: number = this.#store.version): void {
    const { plural } = this.request;
    this.event('BOOKMARK', { kind: plural, metadata: { resourceVersion: String(version) } });
  }

  error(code: number, reason: string, message: string): void {
    this.event('ERROR', statusBody(code, reason, message));
  }

  /** Ends the stream in good order. */
  end(): void {
    this.#stopFollowing();
    this.#out.end();
  }

  /** Breaks the connection (HTTP/1.1) or the stream (HTTP/2). */
  cut(): void {
    this.#stopFollowing();
    this.#out.cut();
  }

  #tell({ type, place, object }: StoredEvent): void {
    const { place: wanted, query } = this.request;
    const name = selectedName(query);
    if (this.#stalled || place.collection !== wanted.collection) return;
    if (wanted.namespace !== '' && place.namespace !== wanted.namespace) return;
    if (name !== undefined && place.name !== name) return;
    this.event(type, object);
  }
}
