import { BoundSocket } from 'node:net';

/** A bound TCP socket that can be posted to a worker (in the transfer list), or handed to `net.Server.listen`. */
export type ListeningSocket = BoundSocket;

/** Why a port could not be bound, in words for the operator. */
export class BindError extends Error {
  readonly code: string;

  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * Binds the sockets of all workers to one address and port with SO_REUSEPORT, so that the kernel spreads connections.
 * Bound here, in the main thread, so that one place reports a port that cannot be had. The first bind is exclusive:
 * without that, a second Sallyport on the same machine would silently take half of the connections.
 */
export class ListeningSockets {
  readonly #host: string;
  readonly #port: number;

  private constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /**
   * Throws BindError. Port 0 takes a free one. Host '' is every address, IPv6 and IPv4 where the machine has both. `flag`
   * chooses the port, for the text of the error.
   */
  static reserve(host: string, port: number, flag = '--http-port'): ListeningSockets {
    if (host === '') {
      try {
        return ListeningSockets.reserve('::', port, flag);
      } catch (error) {
        if (!isBindError(error, 'EAFNOSUPPORT') && !isBindError(error, 'EADDRNOTAVAIL')) throw error;
        return ListeningSockets.reserve('0.0.0.0', port, flag);
      }
    }
    const probe = bind(host, port, { flag });
    const chosen = probe.address().port;
    probe.close();
    return new ListeningSockets(host, chosen);
  }

  get host(): string {
    return this.#host;
  }

  get port(): number {
    return this.#port;
  }

  /** Whether this platform lets several workers listen on one port. Where not (macOS), only one worker can listen. */
  get shareable(): boolean {
    try {
      this.open().close();
      return true;
    } catch (error) {
      if (isBindError(error, 'ENOTSUP')) return false;
      throw error;
    }
  }

  /** A new socket on the reserved port. Throws BindError. */
  open(): ListeningSocket {
    return bind(this.#host, this.#port, { reusePort: true });
  }
}

interface BindOptions {
  readonly reusePort?: boolean;
  readonly flag?: string;
}

function bind(host: string, port: number, { reusePort = false, flag = '' }: BindOptions): BoundSocket {
  try {
    return new BoundSocket({ host, port, reusePort });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    throw new BindError(code, `Listen on ${where(host, port)}: ${reason(code, port, flag)}`, error);
  }
}

function where(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function reason(code: string, port: number, flag: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is taken by another process${flag === '' ? '' : `; choose another with ${flag}`} (EADDRINUSE)`;
    case 'EACCES':
      return `port ${port} needs a privilege that this process lacks; take one above 1023 or grant CAP_NET_BIND_SERVICE (EACCES)`;
    case 'EADDRNOTAVAIL':
      return 'this machine does not have the address (EADDRNOTAVAIL)';
    default:
      return `the system refused it (${code})`;
  }
}

function isBindError(error: unknown, code: string): boolean {
  return error instanceof BindError && error.code === code;
}
