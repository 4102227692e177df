import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Whether a request asks for a WebSocket. Others, of clients that would rather speak HTTP/2, are requests like any (RFC 9110 7.8). */
export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Answers a request for a WebSocket that is none. The socket is left to nobody: it would be open for as long as its peer likes. */
export function refuseUpgrade(socket: Duplex, status: string, text = ''): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n${text}`);
}
