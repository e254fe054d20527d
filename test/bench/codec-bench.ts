import { ChunkedDecoder } from '../../src/http1/chunked-decoder.ts';
import { requestHeadText } from '../../src/http1/message-writer.ts';
import { RequestHeadParser } from '../../src/http1/request-head-parser.ts';
import { ResponseHeadParser } from '../../src/http1/response-head-parser.ts';

// CPU time per operation of the codec on typical messages, beside a bare loop over the same bytes and their bare decoding.
// Run: node test/bench/codec-bench.ts [--rounds N]

const limits = { maxRequestLineBytes: 8192, maxHeadBytes: 32_768, maxFields: 100 };

const request = Buffer.from(
  'GET /api/v1/items/4711?fields=name,price&limit=20 HTTP/1.1\r\nHost: shop.example.com\r\n' +
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: application/json, text/plain, */*\r\n' +
    'Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\nCookie: session=8f14e45fceea167a5a36\r\n' +
    'X-Tenant: blue\r\nConnection: keep-alive\r\n\r\n',
  'latin1',
);
const response = Buffer.from(
  'HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n' +
    'Content-Length: 612\r\nCache-Control: no-cache\r\nETag: "5f2b-264"\r\nConnection: keep-alive\r\n\r\n',
  'latin1',
);
const tinyChunks = Buffer.from('1\r\na\r\n'.repeat(1000), 'latin1');
const largeChunk = Buffer.concat([
  Buffer.from('10000\r\n', 'latin1'),
  Buffer.alloc(65_536, 'x'),
  Buffer.from('\r\n', 'latin1'),
]);

const requests = new RequestHeadParser(limits);
const responses = new ResponseHeadParser(limits);
const chunks = new ChunkedDecoder({ maxBytes: 8192, maxFields: 32 });

let sink = 0;

const operations: ReadonlyMap<string, () => void> = new Map([
  [`bare loop over ${request.length} bytes`, () => bareLoop(request)],
  [
    'bare latin1 decoding of the same',
    () => void (sink += request.toString('latin1', 0, request.length).length),
  ],
  ['request head, 8 fields', () => void (sink += requests.parse(request, 0, request.length))],
  ['response head, 7 fields', () => void (sink += responses.parse(response, 0, response.length, 'GET'))],
  [
    'write a request head',
    () => void (sink += Buffer.from(requestHeadText('GET', '/', requests.head.headers, ''), 'latin1').length),
  ],
  ['1000 chunks of 1 byte', () => readChunks(tinyChunks)],
  ['1 chunk of 64 KiB', () => readChunks(largeChunk)],
]);

function bareLoop(buffer: Buffer): void {
  let sum = 0;
  for (let index = 0; index < buffer.length; index++) sum = (sum + (buffer[index] as number)) | 0;
  sink = (sink + sum) | 0;
}

function readChunks(buffer: Buffer): void {
  chunks.reset();
  let at = 0;
  do {
    at = chunks.read(buffer, at, buffer.length);
    sink += chunks.dataEnd;
  } while (chunks.event === 'data');
}

/** Median over several rounds of the process's CPU time, ns. */
function measure(operation: () => void, rounds: number): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    let count = 0;
    let elapsedUs = 0;
    const start = process.cpuUsage();
    while (elapsedUs < 30_000) {
      for (let index = 0; index < 500; index++) operation();
      count += 500;
      const used = process.cpuUsage(start);
      elapsedUs = used.user + used.system;
    }
    times.push((elapsedUs * 1000) / count);
  }
  return times.toSorted((a, b) => a - b)[rounds >> 1] ?? 0;
}

const flag = process.argv.indexOf('--rounds');
const rounds = flag < 0 ? 9 : Number(process.argv[flag + 1]);
for (const [label, operation] of operations) {
  process.stdout.write(`${label.padEnd(36)} ${measure(operation, rounds).toFixed(0).padStart(8)} ns/op\n`);
}
process.stdout.write(`(${sink % 2 === 0 ? 'even' : 'odd'} check sum)\n`);
