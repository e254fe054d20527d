import { connect } from 'node:http2';

export interface GrpcTarget {
  /** `https://127.0.0.1:8443`, or `http:` by prior knowledge. */
  readonly origin: string;
  readonly host: string;
  readonly path: string;
  readonly message: Buffer;
}

const LIMIT_MS = 5000;

/** Makes one unary call whose answer is its message. Rejects, saying what came instead, when it does not succeed. */
export async function callOnce({ origin, host, path, message }: GrpcTarget): Promise<void> {
  const client = connect(origin, { rejectUnauthorized: false, servername: host });
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('error', reject);
      const call = client.request({
        ':method': 'POST',
        ':path': path,
        ':authority': host,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const received: Buffer[] = [];
      let status = 'no grpc-status';
      call.setTimeout(LIMIT_MS, () => reject(new Error('a gRPC call was not answered')));
      call.once('error', reject);
      call.on(
        'response',
        (headers) => (status = String(headers['grpc-status'] ?? `HTTP ${headers[':status']}`)),
      );
      call.on('trailers', (trailers) => (status = String(trailers['grpc-status'])));
      call.on('data', (chunk: Buffer) => received.push(chunk));
      call.once('end', () => {
        if (status === '0' && Buffer.concat(received).equals(message)) resolve();
        else reject(new Error(`a gRPC call was answered with ${status}, wanted 0 and its message`));
      });
      call.end(message);
    });
  } finally {
    client.destroy();
  }
}
