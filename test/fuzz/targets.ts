import {
  fieldLine,
  lastChunk,
  chunkHeader,
  requestHeadText,
  responseHeadText,
} from '../../src/http1/message-writer.ts';
import { isFieldValue, isToken } from '../../src/http1/tokens.ts';
import { HeaderList } from '../../src/util/header-list.ts';
import { allowedInRequests, allowedInResponses } from './allowed-differences.ts';
import { compare } from './compare.ts';
import { http2Targets } from './http2-targets.ts';
import { mutate, randomBytes, randomRequest, randomResponse } from './messages.ts';
import { readResponseWithNode } from './node-reader.ts';
import type { NodeRequestReader } from './node-reader.ts';
import { readRequests, readResponses, singleBytes } from './our-reader.ts';
import type { Transcript } from './our-reader.ts';
import { proxyProtocolTarget } from './proxy-protocol-target.ts';
import type { Random } from './random.ts';

/** A property of the codec. `check` returns what is wrong with an input, or undefined; it must not throw. */
export interface FuzzTarget {
  readonly name: string;
  /** How many inputs in a row, for a fair share of the time. */
  readonly batch: number;
  make(random: Random): string;
  check(input: string, random: Random): string | undefined | Promise<string | undefined>;
}

const responseMethods = ['GET', 'HEAD', 'POST'];

/** The method of the request that a response answers, told by the input itself so that a finding can be run again. */
function methodFor(input: string): string {
  return responseMethods[input.length % responseMethods.length] as string;
}

export function requestStream(random: Random): string {
  const wildness = random.pick([0, 0, 0.02, 0.1]);
  const text = Array.from({ length: 1 + random.below(3) }, () => randomRequest(random, wildness)).join('');
  return random.chance(0.6) ? mutate(random, text) : text;
}

function responseStream(random: Random): string {
  const text = randomResponse(random, random.pick([0, 0, 0.02, 0.1]));
  return random.chance(0.6) ? mutate(random, text) : text;
}

/** Read whole, by single bytes and by random pieces, a stream must come out the same. */
function checkCuts(
  input: string,
  random: Random,
  read: (bytes: Buffer, cut?: (from: number) => number) => Transcript,
): string | undefined {
  const bytes = Buffer.from(input, 'latin1');
  const whole = JSON.stringify(read(bytes));
  const single = JSON.stringify(read(bytes, singleBytes));
  if (single !== whole) return `by bytes ${single}, whole ${whole}`;
  const longest = 1 + random.below(40);
  const pieces = JSON.stringify(read(bytes, (from) => from + 1 + random.below(longest)));
  return pieces === whole ? undefined : `in pieces ${pieces}, whole ${whole}`;
}

export function createTargets(node: NodeRequestReader): readonly FuzzTarget[] {
  return [
    {
      name: 'requests-beside-node',
      batch: 100,
      make: requestStream,
      async check(input) {
        const bytes = Buffer.from(input, 'latin1');
        return compare(readRequests(bytes), await node.read(bytes), allowedInRequests, input);
      },
    },
    {
      name: 'responses-beside-node',
      batch: 100,
      make: responseStream,
      async check(input) {
        const bytes = Buffer.from(input, 'latin1');
        const method = methodFor(input);
        const ours = readResponses(bytes, method);
        const final = ours.messages.filter(
          (message) => !message.start[0].startsWith('1') || message.start[0] === '101',
        );
        const nodes = await readResponseWithNode(bytes, method);
        return compare({ ...ours, messages: final }, nodes, allowedInResponses, input);
      },
    },
    {
      name: 'request-cuts',
      batch: 500,
      make: (random) => (random.chance(0.2) ? randomBytes(random) : requestStream(random)),
      check: (input, random) => checkCuts(input, random, readRequests),
    },
    {
      name: 'response-cuts',
      batch: 500,
      make: (random) => (random.chance(0.2) ? randomBytes(random) : responseStream(random)),
      check: (input, random) =>
        checkCuts(input, random, (bytes, cut) => readResponses(bytes, methodFor(input), cut)),
    },
    { name: 'written-and-read', batch: 500, make: randomBytes, check: checkRoundTrip },
    ...http2Targets,
    proxyProtocolTarget,
  ];
}

/** Takes names, values, data from the input; what the writer makes of them must be read back as it was. */
function checkRoundTrip(input: string, random: Random): string | undefined {
  const headers = new HeaderList();
  const texts = input.split(/[,;:]/).map((text) => text.trim());
  for (const [index, value] of texts.entries()) {
    const name = `x-${texts[index + 1] ?? ''}`;
    if (isToken(name) && isFieldValue(value)) headers.append(name, value);
  }
  const fields = headers.entries().flat();
  const chunks = texts.filter((text) => text !== '');
  const body = `${chunks.map((text) => `${chunkHeader(text.length)}${text}\r\n`).join('')}${lastChunk()}`;
  const coding = fieldLine('Transfer-Encoding', 'chunked');
  const cut = (from: number) => from + 1 + random.below(30);
  const request = requestHeadText('POST', '/', headers, fieldLine('Host', 'h') + coding) + body;
  const response = responseHeadText(200, '', headers, coding) + body;
  const expected = { body: chunks.join(''), trailers: [] };
  return (
    differs(readRequests(Buffer.from(request + request, 'latin1'), cut), [
      { start: ['POST', '/'], fields: ['Host', 'h', 'Transfer-Encoding', 'chunked', ...fields], ...expected },
      { start: ['POST', '/'], fields: ['Host', 'h', 'Transfer-Encoding', 'chunked', ...fields], ...expected },
    ]) ??
    differs(readResponses(Buffer.from(response, 'latin1'), 'GET', cut), [
      { start: ['200', 'OK'], fields: [...fields, 'Transfer-Encoding', 'chunked'], ...expected },
    ])
  );
}

function differs(transcript: Transcript, messages: Transcript['messages']): string | undefined {
  const [read, written] = [JSON.stringify(transcript.messages), JSON.stringify(messages)];
  return read === written ? undefined : `read ${read} ${transcript.detail}, written ${written}`;
}
