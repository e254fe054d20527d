import { once } from 'node:events';
import { createSecureServer, createServer } from 'node:http2';
import type {
  Http2SecureServer,
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  SecureServerOptions,
  ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

/** An endpoint that speaks HTTP/2, by the runtime's own implementation. */
export interface Http2Upstream {
  readonly port: number;
  readonly server: Http2Server | Http2SecureServer;
  /** In order of arrival, those that have ended too. */
  readonly sessions: readonly ServerHttp2Session[];
  stop(): void;
}

export type Http2Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** With a key it speaks TLS, else HTTP/2 by prior knowledge. */
export async function startHttp2Upstream(
  listener: Http2Listener,
  options: SecureServerOptions = {},
): Promise<Http2Upstream> {
  const server =
    options.key === undefined ? createServer(options, listener) : createSecureServer(options, listener);
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session: ServerHttp2Session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream) => stream.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    sessions,
    stop: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}
