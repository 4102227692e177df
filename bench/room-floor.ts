/**
 * The floor of a room: a Node process that writes what one connection says to all of them, and no more.
 *
 *   node bench/room-floor.ts PORT
 *
 * A client says a line first. Each complete message, which ends at `</message>`, is then written to every connection as it is.
 */
import { createServer, type Socket } from 'node:net';

const END = Buffer.from('</message>');
const sockets = new Set<Socket>();

createServer(socket => {
  socket.setNoDelay(true);
  let rest: Buffer | undefined;
  let greeted = false;
  socket.on('error', () => socket.destroy());
  socket.on('close', () => sockets.delete(socket));
  socket.on('data', chunk => {
    const data = rest ? Buffer.concat([rest, chunk]) : chunk;
    rest = undefined;
    let from = 0;
    if (!greeted) {
      from = data.indexOf(10) + 1;
      greeted = from > 0;
      if (greeted) {
        sockets.add(socket);
        socket.write('READY\n');
      }
    }
    for (;;) {
      const at = data.indexOf(END, from);
      if (at < 0) break;
      const message = data.subarray(from, at + END.length);
      for (const one of sockets) one.write(message);
      from = at + END.length;
    }
    if (from < data.length) rest = data.subarray(from);
  });
}).listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 }, () => console.log('listening'));
