import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { describe, expect, test } from '@jest/globals';
import { ListeningSockets } from './listening-sockets.ts';

describe('listening sockets', () => {
  test('port 0 is decided once and shared by every socket', () => {
    const sockets = ListeningSockets.reserve('127.0.0.1', 0);
    const opened = [sockets.open(), sockets.open(), sockets.open()];
    expect(sockets.port).toBeGreaterThan(0);
    expect(opened.map((socket) => socket.address().port)).toEqual(Array(3).fill(sockets.port));
    for (const socket of opened) socket.close();
  });

  test('a taken port is reported with its number', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(() => ListeningSockets.reserve('127.0.0.1', port)).toThrow(
      `Listen on 127.0.0.1:${port}: port ${port} is taken by another process; choose another with --http-port (EADDRINUSE)`,
    );
    expect(() => ListeningSockets.reserve('127.0.0.1', port, '--https-port')).toThrow(
      'choose another with --https-port (EADDRINUSE)',
    );
    await new Promise((resolve) => server.close(resolve));
  });

  test('an address of another machine is reported', () => {
    expect(() => ListeningSockets.reserve('192.0.2.1', 8080)).toThrow(
      /this machine does not have the address/,
    );
  });
});
