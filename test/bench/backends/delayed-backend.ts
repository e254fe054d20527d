// A process that answers every request 10 ms after its head has come: `node delayed-backend.ts PORT`.
// Sockets and one prepared answer, so that it is not what the measurement measures.
import { createServer } from 'node:net';

const DELAY_MS = 10;
const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (chunk.indexOf('\r\n\r\n') < 0) return;
    setTimeout(() => socket.write(answer), DELAY_MS);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', 4096);
