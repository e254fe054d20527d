import type { Random } from './random.ts';

// Requests and responses that are nearly right: a grammar with a bias towards what decides about framing, then mutations.
// All texts are latin1.

const methods = [
  'GET',
  'GET',
  'POST',
  'POST',
  'PUT',
  'HEAD',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'CONNECT',
  'TRACE',
  'get',
  'FOO',
];
const targets = [
  '/',
  '/a',
  '/a?b=c',
  '//x',
  '*',
  'http://h/',
  'http://h',
  'https://h/a?b',
  'h:80',
  '/%2e%2e/',
  '/a#b',
  'foo',
  '/a;b|c"<>',
];
const versions = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/1.2',
  'http/1.1',
  'HTTP/0.9',
];
const lengths = ['0', '1', '3', '5', '10', '05', '+5', '5, 5', '', '-1', '0x5', '5 ', '9007199254740993'];
const codings = [
  'chunked',
  'chunked',
  'chunked',
  'Chunked',
  'gzip, chunked',
  'chunked, chunked',
  'identity',
  'xchunked',
  ',chunked',
  '',
];
const plain = [
  'X-A: b',
  'Accept: */*',
  'x-b:',
  'X-C:  two words\t',
  'X-D: \xe9\x80',
  'Cookie: a=b; c=d',
  '__proto__: x',
  'X_E: f',
  'Te: trailers',
];
const options = ['close', 'keep-alive', 'upgrade', 'Keep-Alive, X-A', 'close, x', 'Upgrade, close', ','];
const extensions = ['', '', '', '', ';a=b', ';a', ';a="b;c"', ' ;a', ';', ';a=', ';a = b', ';a="\\""'];
const sizeForms = ['', '', '', '', '0', '000', '+', '0x', ' '];
const trailers = ['A: b', 'grpc-status: 0', 'Content-Length: 3', 'Host: evil', 'X-T:', 'bad', 'Cookie: a=b'];
const lineEnds = [
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  '\r\r\n',
  '\r\n\r\n',
  '',
];

/** What is spliced in anywhere. */
const pieces = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '"',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '0\r\n\r\n',
  '\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: h\r\n\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Host: h\r\n',
  '\r\n folded',
  'chunked',
];

/** Mostly a right line end; `wildness` is the chance of a wrong one. */
function lineEnd(random: Random, wildness: number): string {
  return random.chance(wildness) ? random.pick(lineEnds) : '\r\n';
}

function framingLines(random: Random): string[] {
  switch (random.below(8)) {
    case 0:
      return [`Content-Length: ${random.pick(lengths)}`];
    case 1:
    case 2:
      return ['Content-Length: 5'];
    case 3:
      return [`Transfer-Encoding: ${random.pick(codings)}`];
    case 4:
    case 5:
      return ['Transfer-Encoding: chunked'];
    case 6:
      return random.chance(0.3) ? ['Content-Length: 5', 'Transfer-Encoding: chunked'] : [];
    default:
      return [];
  }
}

function fieldLines(random: Random): string[] {
  const lines = random.some(3, () => random.pick(plain));
  if (random.chance(0.2)) lines.push(`Connection: ${random.pick(options)}`);
  if (random.chance(0.08)) lines.push(`Upgrade: ${random.pick(['websocket', 'h2c'])}`);
  if (random.chance(0.05)) lines.push(`Expect: ${random.pick(['100-continue', 'y 100-continue', '200-ok'])}`);
  lines.splice(random.below(lines.length + 1), 0, ...framingLines(random));
  return lines;
}

function chunkedBody(random: Random, wildness: number): string {
  const end = () => lineEnd(random, wildness);
  let text = '';
  for (let count = random.below(4); count > 0; count--) {
    const data = 'hello\r\n0\r\n\r\nmore of it'.slice(0, 1 + random.below(20));
    const size = data.length + (random.chance(wildness) ? random.below(3) - 1 : 0);
    const form = random.chance(wildness * 2) ? random.pick(sizeForms) : '';
    const extension = random.chance(0.2) ? random.pick(extensions) : '';
    text += `${form}${size.toString(16)}${extension}${end()}${data}${end()}`;
  }
  const fields = random.chance(0.3) ? random.some(2, () => `${random.pick(trailers)}${end()}`).join('') : '';
  return `${text}0${end()}${fields}${end()}`;
}

/** A body that mostly suits the field lines. */
function body(random: Random, lines: readonly string[], wildness: number): string {
  if (lines.some((line) => /^transfer-encoding:.*chunked/i.test(line))) return chunkedBody(random, wildness);
  const length = lines.find((line) => line.startsWith('Content-Length: '));
  if (length === undefined) return '';
  const stated = Number.parseInt(length.slice('Content-Length: '.length), 10);
  return 'x'.repeat(Math.max(0, Math.min(stated || 0, 10)));
}

/** `wildness` 0 gives requests that are right but for their choice of words. */
export function randomRequest(random: Random, wildness: number): string {
  const method = random.chance(0.8) ? random.pick(methods.slice(0, 7)) : random.pick(methods);
  const target = random.chance(0.8) ? random.pick(targets.slice(0, 4)) : random.pick(targets);
  const version = random.chance(0.9) ? 'HTTP/1.1' : random.pick(versions);
  const lines = fieldLines(random);
  if (random.chance(0.95))
    lines.splice(random.chance(0.9) ? 0 : random.below(lines.length + 1), 0, 'Host: h');
  const end = () => lineEnd(random, wildness);
  const head = `${method} ${target} ${version}${end()}${lines.map((line) => line + end()).join('')}${end()}`;
  return head + body(random, lines, wildness);
}

export function randomResponse(random: Random, wildness: number): string {
  const status = random.chance(0.7)
    ? '200'
    : random.pick(['204', '304', '404', '599', '100', '103', '101', '600', '099', '20', '2000']);
  const reason = random.pick([' OK', ' OK', ' Not \xe4t all', ' ', '']);
  const version = random.chance(0.9) ? 'HTTP/1.1' : random.pick(versions);
  const lines = fieldLines(random);
  const end = () => lineEnd(random, wildness);
  const head = `${version} ${status}${reason}${end()}${lines.map((line) => line + end()).join('')}${end()}`;
  if (status.startsWith('1') && random.chance(0.9)) return head + randomResponse(random, wildness);
  return head + (random.chance(0.15) ? 'x'.repeat(random.below(20)) : body(random, lines, wildness));
}

/** Changes the text at random places. */
export function mutate(random: Random, text: string): string {
  let result = text;
  for (let count = random.below(4); count > 0; count--) result = mutateOnce(random, result);
  return result;
}

function mutateOnce(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const before = text.slice(0, at);
  const behind = text.slice(at);
  switch (random.below(7)) {
    case 0:
      return before + behind.slice(1 + random.below(3));
    case 1:
      return before + random.pick(pieces) + behind;
    case 2:
      return before + String.fromCharCode(random.below(256)) + behind.slice(1);
    case 3:
      return before + behind.slice(0, 1 + random.below(30)) + behind;
    case 4:
      return random.chance(0.3) ? before : text;
    case 5:
      return before + behind.charAt(0).toUpperCase() + behind.slice(1);
    default:
      return before + random.pick(pieces) + behind.slice(1);
  }
}

/** Bytes without any grammar, with a liking for those that mean something. */
export function randomBytes(random: Random): string {
  const length = random.below(60);
  let text = '';
  while (text.length < length)
    text += random.chance(0.3) ? random.pick(pieces) : String.fromCharCode(random.below(256));
  return text;
}
