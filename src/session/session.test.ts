import assert from 'node:assert/strict';
import type { Packet } from '../bus/index.ts';
import type { StanzaError, StreamError } from '../protocol/index.ts';
import { FakeConnection } from '../../test/kit/connection.ts';
import { jid, packet, readStanza } from '../../test/kit/wire.ts';
import type { Leftover } from './outbox.ts';
import type { SessionOwner, SessionStream } from './owner.ts';
import { Session } from './session.ts';
import { User } from './users.ts';

const SM = 'urn:xmpp:sm:3';
const R = `<r xmlns='${SM}'/>`;

class Stream implements SessionStream {
  readonly connection = new FakeConnection();
  held = false;
  abandoned = false;
  error: StreamError | undefined;

  fail(error: StreamError): void {
    this.error = error;
  }

  abandon(): void {
    this.abandoned = true;
  }

  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
  }
}

/** A node around one session: what is handled, when, and what becomes of it. */
class Owner implements SessionOwner {
  readonly outboxLimits = { bytes: 1_000, stanzas: 100 };
  inboxLimit = 3;
  readonly journal = undefined;
  /** Ids of stanzas, as they were handled. */
  readonly handled: string[] = [];
  readonly events: string[] = [];
  readonly bounced: string[] = [];
  /** What the handlers of these ids wait for. */
  readonly waits = new Map<string, Promise<void>>();
  /** What these ids have to be safe for. */
  readonly commits = new Map<string, Promise<void>>();

  received(stanza: Packet): void | Promise<void> {
    const id = stanza.id!;
    this.handled.push(id);
    const commit = this.commits.get(id);
    if (commit) stanza.hold(commit);
    return this.waits.get(id)?.then(() => void this.events.push(`done ${id}`));
  }

  bounce(stanza: Packet, error: StanzaError): void {
    this.bounced.push(`${stanza.id} ${error.condition}`);
  }

  leftover(item: Leftover): void {
    this.events.push(`leftover ${item.wire}`);
  }

  watched(): void {}

  acknowledged(_: Session, story: number): void {
    this.events.push(`acknowledged ${story}`);
  }

  stalled(): void {
    this.events.push('stalled');
  }

  detached(): void {
    this.events.push('detached');
  }

  resumed(): void {}

  ended(session: Session, presence: Packet | undefined): void {
    this.events.push(`ended ${presence ? 'available' : 'without presence'}`);
    for (const { wire, taken, disposable } of session.outbox.leave()) {
      if (!disposable) this.events.push(`left ${wire}`);
      taken?.(false);
    }
  }

  soon(session: Session): void {
    session.dirty = true;
  }

  slow(session: Session, reason: string): void {
    this.events.push(`slow ${reason}`);
    session.close({ condition: 'resource-constraint' });
  }
}

interface Trial {
  readonly session: Session;
  readonly owner: Owner;
  readonly stream: Stream;
  /** Its client sends messages with these ids; an address makes it another stanza. */
  send(...ids: string[]): void;
  /** What its client has been sent since the last look. */
  said(stream?: Stream): string;
}

function trial(resumption?: number): Trial {
  const owner = new Owner();
  const session = new Session('s1', jid('romeo@localhost/orchard'), new User(jid('romeo@localhost')), owner, false);
  const stream = new Stream();
  session.attach(stream, 'en');
  if (resumption !== undefined) session.enable({ id: 'id1', timeout: resumption });
  return {
    session,
    owner,
    stream,
    send: (...ids) => {
      for (const id of ids) assert.equal(session.receive(readStanza(`<message id='${id}'/>`)), undefined);
    },
    said: (of = stream) => {
      session.dirty = false;
      session.flush();
      return of.connection.said();
    },
  };
}

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

function message(id: string): Packet {
  return packet(`<message from='juliet@localhost/1' to='romeo@localhost/orchard' id='${id}'/>`);
}

function ids(text: string): string[] {
  return [...text.matchAll(/id='(\w+)'/g)].map(match => match[1]!);
}

describe('Session: what its client sends', () => {
  it('is handled at once, in order', () => {
    const { owner, send } = trial();
    send('a', 'b', 'c');
    assert.deepEqual(owner.handled, ['a', 'b', 'c']);
  });

  it('waits while a handler waits, and keeps its order (RFC 6120 10.1)', async () => {
    const { owner, session, send } = trial();
    const slow = Promise.withResolvers<void>();
    const slower = Promise.withResolvers<void>();
    owner.waits.set('a', slow.promise).set('c', slower.promise);
    send('a', 'b', 'c', 'd');
    assert.deepEqual(owner.handled, ['a']);
    slow.resolve();
    await settle();
    assert.deepEqual(owner.handled, ['a', 'b', 'c']);
    slower.resolve();
    await session.settled();
    assert.deepEqual(owner.handled, ['a', 'b', 'c', 'd']);
    assert.equal(session.settled(), undefined);
    send('e');
    assert.deepEqual(owner.handled.at(-1), 'e');
  });

  it('goes on after a handler that failed', async () => {
    const { owner, session, send } = trial();
    owner.waits.set('a', Promise.reject(new Error('a bug')));
    send('a', 'b');
    await session.settled();
    assert.deepEqual(owner.handled, ['a', 'b']);
  });

  it('is not read while too much of it waits', async () => {
    const { owner, session, stream, send } = trial();
    const slow = Promise.withResolvers<void>();
    owner.waits.set('a', slow.promise);
    send('a', 'b', 'c');
    assert.equal(stream.held, false);
    send('d');
    assert.equal(stream.held, true);
    slow.resolve();
    await session.settled();
    assert.equal(stream.held, false);
    assert.deepEqual(owner.handled, ['a', 'b', 'c', 'd']);
  });

  it('is refused when it is no stanza, or of another namespace, or from somebody else (RFC 6120 8.1.2.1)', () => {
    const { session, owner } = trial();
    const condition = (markup: string): string | undefined => session.receive(readStanza(markup))?.condition;
    assert.equal(condition('<chat/>'), 'unsupported-stanza-type');
    assert.equal(condition(`<message xmlns='jabber:server'/>`), 'unsupported-stanza-type');
    assert.equal(condition(`<message id='a' from='juliet@localhost'/>`), 'invalid-from');
    assert.equal(condition(`<message id='a' from='romeo@localhost/balcony'/>`), 'invalid-from');
    assert.equal(condition(`<message id='a' from=''/>`), 'invalid-from');
    assert.deepEqual(owner.handled, []);
    assert.equal(condition(`<message id='a' from='romeo@localhost/orchard'/>`), undefined);
    assert.equal(condition(`<message id='b' from='romeo@localhost'/>`), undefined);
    assert.equal(condition(`<message id='c' from='ROMEO@LocalHost/orchard'/>`), undefined);
    assert.deepEqual(owner.handled, ['a', 'b', 'c']);
  });

  it('is bounced when it goes to no address, or breaks a rule of its kind', () => {
    const { session, owner } = trial();
    const send = (markup: string): unknown => session.receive(readStanza(markup));
    send(`<message id='a' to='@localhost'/>`);
    send(`<iq id='b' type='get'/>`);
    send(`<iq id='c' type='fetch'><x xmlns='y'/></iq>`);
    send(`<presence id='d' type='invisible'/>`);
    assert.deepEqual(owner.bounced, ['a jid-malformed', 'b bad-request', 'c bad-request', 'd bad-request']);
    assert.deepEqual(owner.handled, []);
  });
});

describe('Session: stream management (XEP-0198)', () => {
  it('counts what has been handled, also what was refused', async () => {
    const { session, owner, send } = trial(60);
    session.receive(readStanza(`<message id='x' to='@'/>`));
    send('a');
    assert.equal(session.h, 2);
    const commit = Promise.withResolvers<void>();
    owner.commits.set('b', commit.promise);
    send('b', 'c');
    assert.equal(session.h, 2);
    commit.resolve();
    await session.settled();
    assert.equal(session.h, 4);
  });

  it('answers <r/> in its place among the stanzas, once they are safe', async () => {
    const { session, owner, stream, send, said } = trial(60);
    const handler = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    owner.waits.set('a', handler.promise);
    owner.commits.set('b', commit.promise);
    send('a', 'b');
    session.onRequest();
    assert.equal(said(), '');
    handler.resolve();
    await settle();
    assert.equal(said(), '');
    commit.resolve();
    await session.settled();
    await settle();
    assert.equal(stream.connection.said(), `<a xmlns='${SM}' h='2'/>`);
    send('c');
    session.onRequest();
    assert.equal(said(), `<a xmlns='${SM}' h='3'/>`);
  });

  it('says what came to the client before it answers', () => {
    const { session, said } = trial(60);
    session.send(message('m1'));
    session.onRequest();
    assert.match(said(), /^<message .*<a xmlns='urn:xmpp:sm:3' h='0'\/>$/s);
  });

  it('asks with messages, and not again before it is answered', () => {
    const { session, said } = trial(60);
    session.send(message('m1'));
    assert(said().endsWith(R));
    session.send(message('m2'));
    assert(!said().includes(R));
    assert.equal(session.onAck(1), true);
    assert.equal(said(), R);
    assert.equal(session.onAck(2), true);
    assert.equal(said(), '');
  });

  it('refuses acknowledgements of more than was sent', () => {
    const { session, said } = trial(60);
    session.send(message('m1'));
    assert.equal(session.onAck(1), false);
    said();
    assert.equal(session.onAck(2), false);
    assert.equal(session.onAck(1), true);
  });

  it('agrees once', () => {
    const { session } = trial(60);
    assert.equal(session.enable({ id: 'id2', timeout: 9 }), false);
    assert.equal(session.resumption!.id, 'id1');
  });
});

describe('Session: comings and goings', () => {
  it('without acknowledgements it ends with its connection', () => {
    const { session, owner, stream, said } = trial();
    const told: boolean[] = [];
    session.send(message('m1'), taken => told.push(taken));
    said();
    stream.connection.frozen = true;
    session.send(message('m2'), taken => told.push(taken));
    said();
    session.send(message('m3'), taken => told.push(taken));
    session.disconnect(stream);
    assert.equal(session.alive, false);
    assert.deepEqual(told, [true, false, false]);
    assert.deepEqual(
      owner.events.map(e => e.split(' ')[0]),
      ['ended', 'left', 'left'],
    );
    // and nothing comes any more
    session.send(message('m4'), taken => told.push(taken));
    assert.equal(told.at(-1), false);
  });

  it('with acknowledgements but without resumption it ends too, and what was not acknowledged is left', () => {
    const { session, owner, stream, said } = trial(0);
    session.send(message('m1'));
    session.send(message('m2'));
    said();
    session.onAck(1);
    session.disconnect(stream);
    assert.equal(session.alive, false);
    assert.deepEqual(ids(owner.events.join()), ['m2']);
  });

  it('with resumption it waits, and its next connection brings what the client has not had', () => {
    const { session, owner, stream, said } = trial(60);
    session.send(message('m1'));
    session.send(message('m2'));
    said();
    session.disconnect(stream);
    assert.equal(session.connected, false);
    assert(session.detachedAt > 0);
    session.send(message('m3'));
    const second = new Stream();
    assert.equal(session.takeOver(second, 1, 'de'), true);
    assert.equal(session.lang, 'de');
    assert.equal(session.detachedAt, 0);
    assert.deepEqual(ids(said(second)), ['m2', 'm3']);
    assert.deepEqual(owner.events, ['detached']);
  });

  it('cannot be taken over with a count that is too high, and still waits', () => {
    const { session, stream, said } = trial(60);
    session.send(message('m1'));
    said();
    session.disconnect(stream);
    assert.equal(session.takeOver(new Stream(), 2, undefined), false);
    assert.equal(session.connected, false);
    assert(session.detachedAt > 0);
    const third = new Stream();
    assert.equal(session.takeOver(third, 0, undefined), true);
    assert.deepEqual(ids(said(third)), ['m1']);
  });

  it('a connection that is still there is left for another, and the session waits meanwhile', () => {
    const { session, owner, stream, said } = trial(60);
    session.send(message('m1'));
    said();
    session.leaveStream();
    assert.equal(stream.abandoned, true);
    assert.equal(session.connected, false);
    // were nobody to take it over now, it would end when its time is over
    assert(session.detachedAt > 0);
    assert.deepEqual(owner.events, ['detached']);
    // the end of the connection that was left changes nothing
    session.disconnect(stream);
    const second = new Stream();
    session.takeOver(second, 0, undefined);
    session.disconnect(stream);
    assert.equal(session.connected, true);
    assert.deepEqual(ids(said(second)), ['m1']);
  });

  it('the queue survives a connection that dies right after the takeover', () => {
    const { session, stream, said } = trial(60);
    session.send(message('m1'));
    said();
    session.disconnect(stream);
    const second = new Stream();
    session.takeOver(second, 0, undefined);
    session.disconnect(second);
    const third = new Stream();
    session.takeOver(third, 0, undefined);
    assert.deepEqual(ids(said(third)), ['m1']);
  });

  it('a <r/> of an old connection is not answered on the next one, which was told by <resumed/>', async () => {
    const { session, owner, stream, send, said } = trial(60);
    const handler = Promise.withResolvers<void>();
    owner.waits.set('a', handler.promise);
    send('a');
    session.onRequest();
    session.disconnect(stream);
    handler.resolve();
    await session.settled();
    const second = new Stream();
    session.takeOver(second, 0, undefined);
    assert.equal(session.h, 1);
    assert.equal(said(second), '');
    assert.equal(stream.connection.said(), '');
  });

  it('input that waited when the connection was cut is handled, and counts', async () => {
    const { session, owner, stream, send } = trial(60);
    const handler = Promise.withResolvers<void>();
    owner.waits.set('a', handler.promise);
    send('a', 'b', 'c', 'd');
    assert.equal(stream.held, true);
    session.disconnect(stream);
    assert.equal(session.h, 0);
    handler.resolve();
    await session.settled();
    assert.equal(session.h, 4);
  });

  it('closing it writes what waits before the last word', () => {
    const { session, owner, stream } = trial();
    session.send(message('m1'));
    session.close({ condition: 'conflict' });
    assert.deepEqual(ids(stream.connection.said()), ['m1']);
    assert.equal(stream.error?.condition, 'conflict');
    assert.deepEqual(owner.events, ['ended without presence']);
  });

  it('its end tells the presence that it had, once', () => {
    const { session, owner } = trial(60);
    session.setPresence(packet(`<presence from='romeo@localhost/orchard'/>`));
    session.finish();
    session.finish();
    session.close({ condition: 'conflict' });
    assert.deepEqual(owner.events, ['ended available']);
    assert.equal(session.presence, undefined);
  });

  it('a farewell tells the client what has been handled', () => {
    const { session, stream, send } = trial(60);
    send('a', 'b');
    session.send(message('m1'));
    session.farewell();
    assert.match(stream.connection.said(), /^<message .*<a xmlns='urn:xmpp:sm:3' h='2'\/>$/s);
    assert.equal(session.alive, false);
  });

  it('ends when more waits than may, and all of it is left', () => {
    const { session, owner, stream } = trial(60);
    session.disconnect(stream);
    for (let i = 0; session.alive; i++) session.send(message(`m${i}`));
    assert.equal(owner.events[1], 'slow bytes');
    assert(ids(owner.events.join()).length > 5);
    assert.deepEqual(ids(owner.events.join())[0], 'm0');
  });

  it('is left by a client that takes nothing', () => {
    const { session, stream, said } = trial();
    assert.equal(session.stuckSince(1), undefined);
    stream.connection.frozen = true;
    session.send(message('m1'));
    said();
    assert.equal(session.stuckSince(5), 5);
    assert.equal(session.stuckSince(9), 5);
    session.disconnect(stream);
    assert.equal(session.stuckSince(10), undefined);
  });
});

describe('Session: an inactive client (XEP-0352)', () => {
  const presence = (from: string, status: string): Packet => packet(`<presence from='${from}' id='${status}'/>`);

  it('is spared presence until something comes that cannot wait', () => {
    const { session, said } = trial();
    session.setActive(false);
    session.send(presence('a@localhost/1', 'a1'));
    session.send(presence('b@localhost/1', 'b1'));
    session.send(presence('a@localhost/1', 'a2'));
    assert.equal(said(), '');
    session.send(message('m1'));
    session.send(presence('a@localhost/1', 'a3'));
    assert.deepEqual(ids(said()), ['b1', 'a2', 'm1']);
    session.setActive(true);
    assert.deepEqual(ids(said()), ['a3']);
    session.send(presence('a@localhost/1', 'a4'));
    assert.deepEqual(ids(said()), ['a4']);
  });

  it('is told before the answers to what it asks', () => {
    const { session, said } = trial();
    session.setActive(false);
    session.send(presence('a@localhost/1', 'a1'));
    session.sendWire(`<iq id='q1' type='result'/>`);
    assert.deepEqual(ids(said()), ['a1', 'q1']);
  });

  it('does not wait for what its giver waits for', () => {
    const { session, said } = trial();
    session.setActive(false);
    session.send(presence('a@localhost/1', 'a1'), () => {});
    assert.deepEqual(ids(said()), ['a1']);
  });

  it('is active again, and told all, when it is resumed', () => {
    const { session, stream, said } = trial(60);
    session.setActive(false);
    session.send(presence('a@localhost/1', 'a1'));
    session.disconnect(stream);
    session.send(presence('b@localhost/1', 'b1'));
    const second = new Stream();
    session.takeOver(second, 0, undefined);
    assert.deepEqual(ids(said(second)), ['a1', 'b1']);
  });
});
