import { Socket } from 'node:net';

import { expect, test } from '@jest/globals';

import { proxyHeaderFailures } from '../../telemetry/protocol-cells.ts';
import { CounterReader, WorkerCounters, createCounterMemory } from '../../telemetry/worker-counters.ts';
import { DeadlineSweeper } from '../../util/deadline-sweeper.ts';
import { TrustedProxies } from '../client-address.ts';
import { tcpClient } from '../client.ts';
import { RequestIds } from '../request-id.ts';
import { ProxyProtocolGate } from './proxy-protocol-gate.ts';

const memory = createCounterMemory();
const warnings: string[] = [];
const gate = new ProxyProtocolGate({
  counters: new WorkerCounters(memory),
  fields: {
    trusted: new TrustedProxies(['10.0.0.0/8']),
    appendForwardedFor: false,
    allowUnderscores: false,
    requestIds: new RequestIds(),
  },
  sweeper: new DeadlineSweeper(),
  warn: (message) => void warnings.push(message),
});
const next = {
  onRead: (): void => {
    throw new Error('nothing was read');
  },
  onClosed: (): void => undefined,
};

function failed(reason: (typeof proxyHeaderFailures)[number]): number {
  return new CounterReader(memory).family('proxyHeaderFailures', proxyHeaderFailures.indexOf(reason));
}

test('a peer that was reset before it was accepted is gone, not a stranger', () => {
  const socket = new Socket();
  expect(gate.enter(socket, tcpClient(socket, 'http'), next)).toBeUndefined();
  expect([socket.destroyed, failed('closed'), failed('untrusted'), warnings]).toEqual([true, 1, 0, []]);
});

test('a stranger is', () => {
  const socket = new Socket();
  const peer = { ...tcpClient(socket, 'http'), address: '192.0.2.1' };
  expect(gate.enter(socket, peer, next)).toBeUndefined();
  expect([socket.destroyed, failed('closed'), failed('untrusted')]).toEqual([true, 1, 1]);
  expect(warnings).toEqual(['connections without a PROXY header closed']);
});
