import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

import type { Endpoint } from '../table/route-table.ts';
import { ReadBuffer } from './read-buffer.ts';

/** Who has a line: the attempt to make it first, then the protocol that is spoken on it. */
export interface LineUser {
  /** Where the next read goes: one of these. */
  nextBuffer(reads: ReadBuffer): Buffer;
  /** So many bytes are in `line.reads.current`, lent until the next read. */
  onRead(bytes: number): void;
  onDrain(): void;
  onEnd(): void;
  /** `onClose` follows. */
  onError(error: NodeJS.ErrnoException): void;
  onClose(): void;
}

export interface LineMaker extends LineUser {
  /** TCP is connected; of a line with TLS, which is not up by that. */
  onDialed(): void;
  /** Bytes may be sent. */
  onUp(): void;
  /** A session that another line to the same endpoint may resume. */
  onSession(session: Buffer): void;
}

export interface LineOptions {
  readonly endpoint: Endpoint;
  /** Absent: plain TCP. */
  readonly tls?: ConnectionOptions | undefined;
  /** Goes ahead of everything else, TLS included. */
  readonly preamble?: Buffer | undefined;
}

/**
 * A connection to an endpoint as far as bytes are concerned, over TCP or over TLS. What is read is lent, so that nothing
 * is allocated for it.
 */
export class Line {
  readonly socket: Socket;
  readonly reads = new ReadBuffer();
  user: LineUser;

  constructor(options: LineOptions, maker: LineMaker) {
    this.user = maker;
    const { tls, preamble } = options;
    if (tls === undefined) {
      this.socket = connect({ ...this.#target(options), ...this.#reading() });
      this.socket.on('connect', () => {
        if (preamble !== undefined) this.socket.write(preamble);
        maker.onDialed();
        maker.onUp();
      });
    } else {
      this.socket =
        preamble === undefined
          ? connectTls({ ...tls, ...this.#target(options), ...this.#reading() })
          : this.#behind(options, tls, maker);
      if (preamble === undefined) this.socket.on('connect', () => maker.onDialed());
      this.socket.on('secureConnect', () => maker.onUp());
      this.socket.on('session', (session: Buffer) => maker.onSession(session));
    }
    this.socket.on('end', () => this.user.onEnd());
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.user.onError(error));
    this.socket.on('close', () => this.user.onClose());
    this.socket.on('drain', () => this.user.onDrain());
  }

  #target({ endpoint }: LineOptions) {
    return { host: endpoint.address, port: endpoint.port, noDelay: true, autoSelectFamily: false } as const;
  }

  #reading() {
    return {
      onread: {
        buffer: () => this.user.nextBuffer(this.reads),
        callback: (bytes: number) => {
          this.user.onRead(bytes);
          return true;
        },
      },
    } as const;
  }

  /** TLS on a connection that has said something before: there the library does not read into buffers of ours. */
  #behind(options: LineOptions, tls: ConnectionOptions, maker: LineMaker): Socket {
    const carrier = connect(this.#target(options));
    carrier.on('connect', () => {
      carrier.write(options.preamble ?? '');
      maker.onDialed();
    });
    const secure = connectTls({ ...tls, socket: carrier });
    carrier.on('error', (error) => secure.destroy(error));
    secure.on('data', (chunk: Buffer) => this.#copy(chunk));
    return secure;
  }

  #copy(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const bytes = chunk.copy(this.user.nextBuffer(this.reads), 0, at);
      at += bytes;
      this.user.onRead(bytes);
    }
  }
}
