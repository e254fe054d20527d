// A WebSocket server that sends every message back: `node echo-backend.ts PORT`.
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({
  port: Number(process.argv[2]),
  host: '127.0.0.1',
  backlog: 4096,
  perMessageDeflate: false,
});
server.on('connection', (stream) => {
  stream.on('error', () => stream.terminate());
  stream.on('message', (message, binary) => stream.send(message, { binary }));
});
