// Runs in pods of the cluster behind what edge-protocols.ts applies. It answers on 8080 in HTTP/1.1 (WebSockets too), on 8081 in
// HTTP/2 without TLS (gRPC too), and on 8443 in HTTP/2 over TLS by the certificate in /tls, to clients that its authority has signed.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttp2Server, createSecureServer } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';

import { acceptOf, frame, opcodes, readFrames } from './web-socket.ts';

const shutdownLimitMs = 2000;
const readTls = (name: string): Buffer => readFileSync(`/tls/${name}`);

/** What a backend saw. */
export interface Seen {
  readonly service: string;
  readonly version: string;
  readonly isTls: boolean;
  /** Who the client of TLS is. */
  readonly peer?: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

function seen(request: IncomingMessage | Http2ServerRequest, service: string): string {
  const { socket } = request;
  const isTls = 'getPeerCertificate' in socket;
  const peer = isTls ? socket.getPeerCertificate().subject?.CN : undefined;
  const told: Seen = {
    service,
    version: request.httpVersion,
    isTls,
    ...(peer === undefined ? {} : { peer: String(peer) }),
    headers: request.headers,
  };
  return JSON.stringify(told);
}

function serveHttp2(service: string) {
  return (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    if (request.headers['content-type'] !== 'application/grpc') {
      response.end(seen(request, service));
      return;
    }
    // A message goes back as it came; the status stands in the trailers.
    response.setHeader('content-type', 'application/grpc');
    response.addTrailers({ 'grpc-status': '0', 'grpc-message': 'echoed' });
    request.pipe(response);
  };
}

function serveWebSocket(request: IncomingMessage, socket: Duplex): void {
  const accept = acceptOf(request.headers['sec-websocket-key'] ?? '');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on('error', () => socket.destroy());
  readFrames(socket, (opcode, payload) => {
    const answer = opcode === opcodes.close ? opcodes.close : opcodes.text;
    socket.write(frame(answer, payload, { isMasked: false }));
    if (opcode === opcodes.close) socket.end();
  });
}

if (import.meta.main) {
  const plain = createServer((request, response) => response.end(seen(request, 'plain')));
  plain.on('upgrade', serveWebSocket);
  const secure = createSecureServer(
    {
      cert: readTls('tls.crt'),
      key: readTls('tls.key'),
      ca: readTls('ca.crt'),
      requestCert: true,
      rejectUnauthorized: true,
    },
    serveHttp2('secure'),
  );
  plain.listen(8080);
  createHttp2Server(serveHttp2('h2c')).listen(8081);
  secure.listen(8443);
  process.once('SIGTERM', () => {
    plain.close(() => process.exit(0));
    setTimeout(() => process.exit(0), shutdownLimitMs);
  });
}
