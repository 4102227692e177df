import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { WebSocketConnection } from './websocket.ts';

/** A WebSocket whose other side takes what the test says. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  readonly sent: string[] = [];
  readonly #untaken: { bytes: number; told: () => void }[] = [];

  get bufferedAmount(): number {
    return this.#untaken.reduce((sum, frame) => sum + frame.bytes, 0);
  }

  send(data: Buffer, _: unknown, told?: () => void): void {
    this.sent.push(data.toString());
    // with the head of the frame
    this.#untaken.push({ bytes: data.length + 4, told: told ?? (() => {}) });
  }

  /** The kernel takes so many frames. */
  take(count = this.#untaken.length): void {
    for (const { told } of this.#untaken.splice(0, count)) told();
  }

  terminate(): void {
    this.emit('close');
  }
}

function open(): { socket: FakeSocket; connection: WebSocketConnection; events: string[] } {
  const socket = new FakeSocket();
  const raw = { remoteAddress: '::ffff:192.0.2.7', cork: () => {}, uncork: () => {}, write: () => true };
  const connection = new WebSocketConnection(
    socket as unknown as WebSocket,
    { socket: raw } as unknown as IncomingMessage,
  );
  const events: string[] = [];
  connection.attach({
    onBytes: (bytes, start, end) => events.push(Buffer.from(bytes.subarray(start, end)).toString()),
    onDrain: () => events.push('drain'),
    onDisconnect: () => events.push('disconnect'),
  });
  return { socket, connection, events };
}

describe('WebSocketConnection', () => {
  it('sends a frame for each write, and gives stanzas their namespace', () => {
    const { socket, connection } = open();
    for (const wire of [
      `<message id='1'/>`,
      '<iq/>',
      `<presence>x</presence>`,
      `<r xmlns='urn:xmpp:sm:3'/>`,
      '<messages/>',
    ]) {
      connection.write(wire);
    }
    connection.flush();
    assert.deepEqual(socket.sent, [
      `<message xmlns='jabber:client' id='1'/>`,
      `<iq xmlns='jabber:client'/>`,
      `<presence xmlns='jabber:client'>x</presence>`,
      `<r xmlns='urn:xmpp:sm:3'/>`,
      '<messages/>',
    ]);
    assert.equal(connection.address, '192.0.2.7');
  });

  it('says that it is drained when all is taken, be it written in several goes, and not before', () => {
    const { socket, connection, events } = open();
    connection.write('<a/>');
    connection.flush();
    connection.write('<b/>');
    connection.write('<c/>');
    connection.flush();
    socket.take(1);
    assert.deepEqual(events, []);
    socket.take(1);
    assert.deepEqual(events, []);
    assert(connection.backlog > 0);
    socket.take();
    assert.deepEqual(events, ['drain']);
    assert.equal(connection.backlog, 0);
    connection.write('<d/>');
    connection.flush();
    socket.take();
    assert.deepEqual(events, ['drain', 'drain']);
  });

  it('counts what was not known to be taken when it was cut as not taken', () => {
    const { socket, connection, events } = open();
    connection.write('<a/>');
    connection.flush();
    socket.take();
    connection.write('<b/>');
    connection.write('<c/>');
    connection.flush();
    socket.emit('close', 1006);
    assert.deepEqual(events, ['drain', 'disconnect']);
    assert.equal(connection.written - connection.backlog, 4);
  });

  it('counts what comes while it closes as not taken', () => {
    const { socket, connection } = open();
    connection.write('<a/>');
    connection.flush();
    socket.take();
    socket.readyState = 2;
    connection.write('<b/>');
    connection.flush();
    assert.equal(connection.backlog, 4);
    assert.deepEqual(socket.sent, ['<a/>']);
    socket.emit('close', 1000);
    assert.equal(connection.written - connection.backlog, 4);
  });

  it('hands text on, and nothing after its end', () => {
    const { socket, events } = open();
    socket.emit('message', Buffer.from('<a/>'), false);
    socket.emit('close', 1000);
    socket.emit('message', Buffer.from('<b/>'), false);
    assert.deepEqual(events, ['<a/>', 'disconnect']);
  });
});
