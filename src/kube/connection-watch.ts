import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

import { Client } from 'undici';
import type { Pool, buildConnector } from 'undici';

import { endStrayStreams, stopEndingStrayStreams } from './stray-streams.ts';

export interface PingTuning {
  /** HTTP/2 PING goes out this often on each connection. */
  readonly intervalMs: number;
  /** A connection from which no PING came back for so long has missed one. */
  readonly overdueMs: number;
  readonly checkMs: number;
}

export const defaultPings: PingTuning = { intervalMs: 10_000, overdueMs: 15_000, checkMs: 5_000 };

/** An API server allows 100 streams on a connection by default; one that allows fewer is obeyed. */
export const maxStreams = 100;

interface Connection {
  socket: Socket | undefined;
  heardMs: number;
  overdue: boolean;
}

/**
 * Finds connections whose other end is gone without a word, and breaks them, so that every call on them fails at once.
 * A watch that stays silent looks just like a dead one otherwise. HTTP/2 connections are asked with PING; on HTTP/1.1
 * the kernel asks (TCP keep-alive). Both notice within about half a minute.
 */
export class ConnectionWatch {
  readonly #connections = new Set<Connection>();
  readonly #timer: NodeJS.Timeout;
  readonly #pings: PingTuning;

  constructor(pings: PingTuning) {
    this.#pings = pings;
    this.#timer = setInterval(() => this.#check(), pings.checkMs);
    this.#timer.unref();
    endStrayStreams();
  }

  /** Makes one client of a pool. The pool hands over a connector of its own, through a proxy where there is one. */
  readonly createClient = (origin: URL, options: Pool.Options): Client => {
    const connection: Connection = { socket: undefined, heardMs: 0, overdue: false };
    const { connect } = options as { connect: buildConnector.connector };
    const client = new Client(origin, {
      ...(options as Client.Options),
      h2Options: { maxConcurrentStreams: maxStreams, pingInterval: this.#pings.intervalMs },
      connect: (target, callback) => {
        connect(target, (...[error, socket]) => {
          // After a failure undici gives no socket at all, whatever its types say.
          if (error !== null) return callback(error, null);
          this.#connected(connection, socket);
          callback(null, socket);
          // Left alone, a client whose connection was told to go away (GOAWAY) opens no other one before the last watch on it
          // has ended: without a connection it counts as HTTP/1.1, with one call at a time.
          if (connection.socket === socket) client.pipelining = maxStreams;
        });
      },
    });
    // Emitted and documented for HTTP/2, and missing from undici's types.
    (client as EventEmitter).on('ping', () => {
      connection.heardMs = performance.now();
      connection.overdue = false;
    });
    return client;
  };

  stop(): void {
    clearInterval(this.#timer);
    stopEndingStrayStreams();
    this.#connections.clear();
  }

  #connected(connection: Connection, socket: Socket): void {
    socket.setKeepAlive(true, 15_000, 5_000, 3);
    if (!('alpnProtocol' in socket) || socket.alpnProtocol !== 'h2') return;
    connection.socket = socket;
    connection.heardMs = performance.now();
    connection.overdue = false;
    this.#connections.add(connection);
    socket.once('close', () => {
      if (connection.socket === socket) this.#connections.delete(connection);
    });
  }

  /** Twice overdue, so that a thread that was busy for long has read what came in meanwhile. */
  #check(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      if (now - connection.heardMs < this.#pings.overdueMs) continue;
      if (connection.overdue) connection.socket?.destroy(new Error('the API server does not answer a ping'));
      connection.overdue = true;
    }
  }
}
