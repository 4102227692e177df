import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Connection, Packet, stanzaProblem, type StreamHandler } from '../../src/api/index.ts';
import { parseJid, prepareDomain } from '../../src/jid/index.ts';
import { NS, refuse, type StanzaError, type StreamError, streamErrorWire } from '../../src/protocol/index.ts';
import {
  type Element,
  parseElement,
  Scanner,
  serialize,
  type ScannerSink,
  type Stanza,
  type StreamHeader,
  wireAttribute,
  type XmlFault,
} from '../../src/xml/index.ts';

const LIMITS = { bytes: 1024 * 1024, depth: 64, attributes: 64, elements: 20_000 };
/** Bytes that a component may leave unread before it is closed. */
const BACKLOG = 16 * 1024 * 1024;
const HANDSHAKE_TIME = 20_000; // ms

export interface ComponentOwner {
  secret(domain: string): string | undefined;
  /** False when the domain is taken. */
  join(stream: ComponentStream, domain: string): boolean;
  leave(stream: ComponentStream, domain: string): void;
  route(packet: Packet): void | Promise<void>;
  readonly log: { warn(details: object, text: string): void };
}

/** A component's stream: XEP-0114 3. Its stanzas are handled one after the other, in order. */
export class ComponentStream implements StreamHandler, ScannerSink {
  readonly connection: Connection;
  private readonly owner: ComponentOwner;
  private readonly scanner: Scanner;
  private readonly id = randomBytes(12).toString('base64url');
  private readonly timer: NodeJS.Timeout;
  private domain = '';
  private headerSent = false;
  private state: 'opening' | 'handshake' | 'joined' | 'closed' = 'opening';
  private scheduled = false;

  constructor(connection: Connection, owner: ComponentOwner) {
    this.connection = connection;
    this.owner = owner;
    this.scanner = new Scanner(this, LIMITS);
    this.timer = setTimeout(() => {
      if (this.state !== 'joined') this.fail({ condition: 'connection-timeout', text: 'The handshake took too long.' });
    }, HANDSHAKE_TIME).unref();
  }

  onBytes(bytes: Uint8Array, start: number, end: number): void {
    this.scanner.push(bytes, start, end);
  }

  onDrain(): void {
    // what it is sent goes to its connection at once; see `send`
  }

  onDisconnect(): void {
    this.state = 'closed';
    clearTimeout(this.timer);
    this.owner.leave(this, this.domain);
  }

  onHeader(header: StreamHeader): void {
    if (header.xmlns !== NS.streams || header.content !== NS.component) {
      this.fail({
        condition: 'invalid-namespace',
        text: `The default namespace of a component's stream is ${NS.component}.`,
      });
      return;
    }
    const domain = prepareDomain(header.attrs.get('to') ?? '');
    this.sendHeader(domain ?? '');
    if (domain === undefined || this.owner.secret(domain) === undefined) {
      this.fail({ condition: 'host-unknown', text: 'No component of that domain is configured.' });
      return;
    }
    this.domain = domain;
    this.state = 'handshake';
    this.connection.flush();
  }

  private sendHeader(domain: string): void {
    if (this.headerSent) return;
    this.headerSent = true;
    this.connection.write(
      `<?xml version='1.0'?><stream:stream xmlns='${NS.component}' xmlns:stream='${NS.streams}'` +
        `${wireAttribute('from', domain)}${wireAttribute('id', this.id)}>`,
    );
  }

  onStanza(stanza: Stanza): void {
    if (this.state === 'handshake') this.handshake(stanza);
    else if (this.state === 'joined') this.receive(stanza);
  }

  /** XEP-0114 3: the SHA-1 of the stream's id and the secret. */
  private handshake(stanza: Stanza): void {
    const secret = this.owner.secret(this.domain);
    if (stanza.name !== 'handshake' || secret === undefined) {
      this.fail({ condition: 'not-authorized', text: 'The handshake comes first.' });
      return;
    }
    const expected = createHash('sha1')
      .update(this.id + secret, 'utf8')
      .digest();
    const given = Buffer.from(stanza.inner.trim(), 'hex');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      this.owner.log.warn({ domain: this.domain, address: this.connection.address }, 'a component gave a wrong secret');
      this.fail({ condition: 'not-authorized', text: 'The secret is not the one that was configured.' });
      return;
    }
    if (!this.owner.join(this, this.domain)) {
      this.fail({ condition: 'conflict', text: 'The domain is connected already.' });
      return;
    }
    this.state = 'joined';
    this.connection.write('<handshake/>');
    this.connection.flush();
  }

  private receive(stanza: Stanza): void {
    if (this.owner.secret(this.domain) === undefined) {
      this.fail({ condition: 'host-gone', text: `${this.domain} is not configured any more.` });
      return;
    }
    // COMPAT components that write stanzas as a client would
    if (stanza.xmlns !== NS.component && stanza.xmlns !== NS.client) {
      this.fail({ condition: 'invalid-namespace' });
      return;
    }
    if (!['message', 'presence', 'iq'].includes(stanza.name)) {
      this.fail({ condition: 'unsupported-stanza-type' });
      return;
    }
    const from = parseJid(stanza.attr('from') ?? '');
    const toText = stanza.attr('to');
    const to = parseJid(toText ?? '');
    // XEP-0114 3; RFC 6120 4.9.3.7
    if (!from || toText === undefined) {
      this.fail({ condition: 'improper-addressing', text: "A component's stanzas have a 'from' and a 'to'." });
      return;
    }
    // RFC 6120 4.9.3.9
    if (from.domain !== this.domain) {
      this.fail({ condition: 'invalid-from', text: `This component speaks for ${this.domain} only.` });
      return;
    }
    const packet = Packet.fromWire(asClient(stanza), from, to);
    const problem = to
      ? stanzaProblem(packet, stanza.type)
      : refuse('jid-malformed', `'${toText.slice(0, 100)}' is not an address (RFC 7622).`);
    if (problem) {
      this.refuse(packet, problem);
      return;
    }
    const waiting = this.owner.route(packet);
    if (!waiting) return;
    this.scanner.hold();
    this.connection.pause();
    const go = (): void => {
      if (this.state === 'closed') return;
      this.connection.resume();
      this.scanner.release();
    };
    waiting.then(go, go);
  }

  /** Answers what could not even be routed, in the component's own namespace. */
  private refuse(packet: Packet, error: StanzaError): void {
    if (packet.type === 'error' || packet.type === 'result') return;
    this.write(packet.errorWire(error));
  }

  /** Gives it a stanza; false when it is not there any more. */
  send(packet: Packet): boolean {
    if (this.state !== 'joined') return false;
    this.write(packet.wire());
    return true;
  }

  private write(wire: string): void {
    this.connection.write(wire);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.connection.flush();
      if (this.connection.backlog > BACKLOG)
        this.fail({ condition: 'resource-constraint', text: 'The component does not read.' });
    });
  }

  onClose(): void {
    this.shut();
    this.connection.write('</stream:stream>');
    this.connection.end(true);
  }

  onFault(fault: XmlFault): void {
    this.fail(fault);
  }

  fail(error: StreamError): void {
    if (this.state === 'closed') return;
    this.sendHeader(this.domain);
    this.shut();
    this.connection.write(streamErrorWire(error, true));
    this.connection.write('</stream:stream>');
    this.connection.end();
  }

  private shut(): void {
    this.state = 'closed';
    this.scanner.stop();
    clearTimeout(this.timer);
    this.owner.leave(this, this.domain);
  }
}

/** The same stanza as inside the server every stanza is: of `jabber:client`, with all in it that has the stream's namespace. */
function asClient(stanza: Stanza): string {
  if (stanza.raw.includes(NS.component, stanza.headEnd)) {
    const element = parseElement(stanza.raw, stanza.xmlns);
    rename(element);
    return serialize(element);
  }
  const start = `<${stanza.name} xmlns='${NS.client}'${stanza.attributesWithout('xmlns')}`;
  return start + stanza.raw.slice(stanza.headEnd);
}

function rename(root: Element): void {
  for (const rest = [root]; rest.length > 0;) {
    const element = rest.pop()!;
    if (element.attrs.xmlns === NS.component) element.attrs.xmlns = NS.client;
    rest.push(...element.getChildElements());
  }
}
