/* Stand-ins of push vendors, on this machine: each checks what the real one checks, and refuses as that one does. */
import assert from 'node:assert/strict';
import {
  createDecipheriv,
  createECDH,
  createPublicKey,
  type ECDH,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  verify,
} from 'node:crypto';
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer, type Server } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makePem } from '../operator/pem.ts';
import { until } from './wait.ts';

/** What a vendor answers: what it would by itself where nothing is said. */
export interface Said {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What came, and was right. */
export interface Came {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let pem: Awaited<ReturnType<typeof makePem>> | undefined;
/** The certificate of all vendors on this machine, which is its own authority. */
export async function vendorPem() {
  return (pem ??= await makePem('localhost'));
}

abstract class Vendor {
  /** What came and no test has taken yet. */
  readonly came: Came[] = [];
  /** Why something was refused that a gateway should never send. */
  readonly faults: string[] = [];
  /** Requests in all, refused ones too. */
  requests = 0;
  /** Asked before anything else: undefined: as usual, 'nothing': no answer at all. */
  answer: (came: Came) => Said | 'nothing' | undefined = () => undefined;
  port = 0;

  get url(): string {
    return `https://localhost:${this.port}`;
  }

  next(what = 'a notification at the vendor'): Promise<Came> {
    return until(
      () => this.came.shift(),
      () => `${what}; faults: ${this.faults.join('; ') || 'none'}`,
      15_000,
    );
  }

  protected fault(why: string, said: Said): Said {
    this.faults.push(why);
    return said;
  }
}

abstract class HttpsVendor extends Vendor {
  private server!: Server;

  protected async listen(): Promise<void> {
    const { certificate: cert, key } = await vendorPem();
    this.server = createServer({ cert, key }, (request, response) => {
      void read(request).then(body => {
        this.requests++;
        const said = this.take({ path: request.url!, headers: request.headers, body: body.toString() }, body, request);
        if (said === 'nothing') return;
        response.writeHead(said.status, said.headers);
        response.end(said.body ?? '');
      });
    });
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  protected abstract take(came: Came, body: Buffer, request: IncomingMessage): Said | 'nothing';

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>(resolve => this.server.close(() => resolve()));
  }
}

async function read(request: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

/** Header and claims of a token whose signature is right; undefined otherwise. */
function tokenOf(text: string, alg: string, key: KeyObject) {
  const [header = '', claims = '', signature = ''] = text.split('.');
  const json = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  if (json(header).alg !== alg) return undefined;
  const bytes = Buffer.from(signature, 'base64url');
  const right = verify('sha256', Buffer.from(`${header}.${claims}`), { key, dsaEncoding: 'ieee-p1363' }, bytes);
  return right ? { header: json(header), claims: json(claims) } : undefined;
}

/** A browser that has subscribed: what it tells its app server, and how it reads what comes (RFC 8291). */
export class Subscription {
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
  private readonly ecdh: ECDH;
  private readonly secret = randomBytes(16);

  constructor(endpoint: string) {
    this.endpoint = endpoint;
    this.ecdh = createECDH('prime256v1');
    this.p256dh = this.ecdh.generateKeys().toString('base64url');
    this.auth = this.secret.toString('base64url');
  }

  /** RFC 8188 2.1 and 3, RFC 8291 3.4. */
  decrypt(body: Buffer): string {
    const salt = body.subarray(0, 16);
    const size = body.readUInt32BE(16);
    const sender = body.subarray(21, 21 + body[20]!);
    const content = body.subarray(21 + body[20]!);
    assert.ok(content.length <= size, 'one record');
    const own = this.ecdh.getPublicKey();
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), own, sender]);
    const ikm = hkdfSync('sha256', this.ecdh.computeSecret(sender), this.secret, info, 32);
    const derived = (what: string, length: number): Buffer =>
      Buffer.from(hkdfSync('sha256', Buffer.from(ikm), salt, Buffer.from(`Content-Encoding: ${what}\0`), length));
    const cipher = createDecipheriv('aes-128-gcm', derived('aes128gcm', 16), derived('nonce', 12));
    cipher.setAuthTag(content.subarray(-16));
    const plain = Buffer.concat([cipher.update(content.subarray(0, -16)), cipher.final()]);
    // RFC 8188 2: padding begins behind a two in the last record
    const end = plain.lastIndexOf(2);
    assert.ok(end >= 0 && plain.subarray(end + 1).every(byte => byte === 0), 'padding');
    return plain.subarray(0, end).toString();
  }
}

/** A push service of browsers: RFC 8030, 8291, 8292. */
export class WebPushVendor extends HttpsVendor {
  readonly subscriptions = new Map<string, Subscription>();
  private ids = 0;

  static async open(): Promise<WebPushVendor> {
    const vendor = new WebPushVendor();
    await vendor.listen();
    return vendor;
  }

  subscribe(): Subscription {
    const path = `/push/${++this.ids}`;
    const subscription = new Subscription(this.url + path);
    this.subscriptions.set(path, subscription);
    return subscription;
  }

  protected take({ path, headers }: Came, body: Buffer): Said | 'nothing' {
    const subscription = this.subscriptions.get(path);
    if (!subscription) return { status: 410 };
    // RFC 8292 3, 4.2
    const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(headers.authorization ?? '') ?? [];
    if (!token || !key) return this.fault('no VAPID', { status: 401 });
    const point = Buffer.from(key, 'base64url');
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    };
    const jwt = tokenOf(token, 'ES256', createPublicKey({ key: jwk, format: 'jwk' }));
    const { aud, exp, sub } = (jwt?.claims ?? {}) as { aud?: string; exp?: number; sub?: string };
    const now = Date.now() / 1000;
    if (aud !== this.url || !exp || exp < now || exp > now + 86_400 || !/^(mailto:|https:)/.test(sub ?? ''))
      return this.fault(`VAPID: ${JSON.stringify(jwt)}`, { status: 403 });
    // RFC 8030 5.2, 5.3, 5.4
    if (!/^\d+$/.test(String(headers.ttl))) return this.fault('no TTL', { status: 400 });
    if (!['very-low', 'low', 'normal', 'high'].includes(String(headers.urgency)))
      return this.fault('urgency', { status: 400 });
    if (headers.topic !== undefined && !/^[\w-]{1,32}$/.test(String(headers.topic)))
      return this.fault('topic', { status: 400 });
    if (headers['content-encoding'] !== 'aes128gcm') return this.fault('encoding', { status: 400 });
    if (body.length > 4096) return this.fault('size', { status: 413 });
    const came = { path, headers, body: subscription.decrypt(body) };
    const said = this.answer(came);
    if (said !== undefined) return said;
    this.came.push(came);
    return { status: 201, headers: { Location: `${this.url}/message/1` } };
  }
}

/** Google's: OAuth 2.0 for service accounts (RFC 7523), and FCM's HTTP v1. */
export class FcmVendor extends HttpsVendor {
  readonly project = 'verona-app';
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  /** Tokens that hold, with the time of their end in milliseconds. */
  readonly granted = new Map<string, number>();
  grants = 0;
  /** Seconds that a token holds. */
  life = 3600;
  /** Devices that are there; undefined: all. */
  devices: Set<string> | undefined;
  tokenAnswer: Said | undefined;

  static async open(): Promise<FcmVendor> {
    const vendor = new FcmVendor();
    await vendor.listen();
    return vendor;
  }

  /** The file of the service account. */
  get account(): string {
    return JSON.stringify({
      type: 'service_account',
      project_id: this.project,
      private_key_id: 'key1',
      private_key: this.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      client_email: `push@${this.project}.iam.gserviceaccount.com`,
      token_uri: `${this.url}/token`,
    });
  }

  protected take(came: Came): Said | 'nothing' {
    return came.path === '/token' ? this.grant(came) : this.send(came);
  }

  private grant({ headers, body }: Came): Said {
    if (this.tokenAnswer) return this.tokenAnswer;
    if (!headers['content-type']?.startsWith('application/x-www-form-urlencoded'))
      return this.fault('the form of the grant', { status: 400 });
    const form = new URLSearchParams(body);
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      return this.fault('the type of the grant', json(400, { error: 'unsupported_grant_type' }));
    const jwt = tokenOf(form.get('assertion') ?? '', 'RS256', this.keys.publicKey);
    const { iss, aud, scope, iat, exp } = (jwt?.claims ?? {}) as Record<string, number | string>;
    const now = Date.now() / 1000;
    const right =
      jwt?.header.kid === 'key1' &&
      iss === `push@${this.project}.iam.gserviceaccount.com` &&
      aud === `${this.url}/token` &&
      scope === 'https://www.googleapis.com/auth/firebase.messaging' &&
      Math.abs(Number(iat) - now) < 60 &&
      Number(exp) > now &&
      Number(exp) - Number(iat) <= 3600;
    if (!right) return this.fault(`the grant: ${JSON.stringify(jwt)}`, json(400, { error: 'invalid_grant' }));
    this.grants++;
    const token = `ya29.${randomBytes(12).toString('base64url')}`;
    this.granted.set(token, Date.now() + this.life * 1000);
    return json(200, { access_token: token, expires_in: this.life, token_type: 'Bearer' });
  }

  private send(came: Came): Said | 'nothing' {
    if (came.path !== `/v1/projects/${this.project}/messages:send`) return this.fault(came.path, { status: 404 });
    const bearer = /^Bearer (.+)$/.exec(came.headers.authorization ?? '')?.[1] ?? '';
    if ((this.granted.get(bearer) ?? 0) < Date.now()) return json(401, { error: { status: 'UNAUTHENTICATED' } });
    if (!came.headers['content-type']?.startsWith('application/json')) return this.fault('the type', { status: 400 });
    const { message } = JSON.parse(came.body) as {
      message: { token: string; data: Record<string, unknown>; android: { priority: string; ttl: string } };
    };
    const texts = Object.values(message.data).every(value => typeof value === 'string');
    if (!texts || !/^\d+s$/.test(message.android.ttl) || message.android.priority !== 'HIGH')
      return this.fault('the message', fcmError(400, 'INVALID_ARGUMENT', 'google.rpc.BadRequest'));
    const said = this.answer(came);
    if (said !== undefined) return said;
    if (this.devices && !this.devices.has(message.token)) return fcmError(404, 'UNREGISTERED');
    this.came.push(came);
    return json(200, { name: `projects/${this.project}/messages/1` });
  }
}

const json = (status: number, value: object): Said => ({ status, body: JSON.stringify(value) });

export function fcmError(status: number, code: string, type = 'google.firebase.fcm.v1.FcmError'): Said {
  const detail =
    type === 'google.rpc.BadRequest'
      ? { '@type': `type.googleapis.com/${type}`, fieldViolations: [] }
      : { '@type': `type.googleapis.com/${type}`, errorCode: code };
  return json(status, { error: { code: status, message: 'x', status: code, details: [detail] } });
}

/** Apple's: HTTP/2 with tokens. */
export class ApnsVendor extends Vendor {
  readonly topic = 'org.example.verona';
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  private server!: Http2SecureServer;
  readonly sessions = new Set<ServerHttp2Session>();
  /** Connections so far. */
  connections = 0;
  /** Different tokens of the provider so far. */
  readonly tokens = new Set<string>();
  devices: Set<string> | undefined;

  static async open(port = 0): Promise<ApnsVendor> {
    const vendor = new ApnsVendor();
    await vendor.listen(port);
    return vendor;
  }

  get options() {
    const key = String(this.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return {
      key,
      keyId: 'ABC123DEFG',
      teamId: 'DEF123GHIJ',
      topic: this.topic,
      server: this.url,
      alert: 'New message',
    };
  }

  private async listen(port: number): Promise<void> {
    const { certificate: cert, key } = await vendorPem();
    this.server = createSecureServer({ cert, key });
    this.server.on('session', session => {
      this.connections++;
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session));
      session.on('error', () => {});
    });
    this.server.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('error', () => {});
      void read(stream)
        .then(body => {
          this.requests++;
          const said = this.take({
            path: String(headers[':path']),
            headers: headers as IncomingHttpHeaders,
            body: body.toString(),
          });
          if (said === 'nothing') return;
          stream.respond({ ':status': said.status, 'apns-id': 'x', ...said.headers });
          stream.end(said.body ?? '');
        })
        .catch(() => {});
    });
    await new Promise<void>(resolve => this.server.listen(port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  private take(came: Came): Said | 'nothing' {
    const { path, headers, body } = came;
    const refuse = (status: number, reason: string): Said => this.fault(reason, json(status, { reason }));
    if (headers[':method'] !== 'POST') return refuse(405, 'MethodNotAllowed');
    const device = /^\/3\/device\/([0-9a-f]+)$/.exec(path)?.[1];
    if (!device) return refuse(404, 'BadPath');
    const token = /^bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    const jwt = tokenOf(token, 'ES256', this.keys.publicKey);
    if (jwt?.header.kid !== 'ABC123DEFG' || jwt.claims.iss !== 'DEF123GHIJ') return refuse(403, 'InvalidProviderToken');
    if (Math.abs(Number(jwt.claims.iat) - Date.now() / 1000) > 3600)
      return json(403, { reason: 'ExpiredProviderToken' });
    this.tokens.add(token);
    const type = headers['apns-push-type'];
    if (headers['apns-topic'] !== (type === 'voip' ? `${this.topic}.voip` : this.topic))
      return refuse(400, 'DeviceTokenNotForTopic');
    if (type !== 'alert' && type !== 'voip') return refuse(400, 'InvalidPushType');
    if (headers['apns-priority'] !== '10' && headers['apns-priority'] !== '5') return refuse(400, 'BadPriority');
    const expiration = Number(headers['apns-expiration']);
    if (!(expiration > Date.now() / 1000)) return refuse(400, 'BadExpirationDate');
    if (String(headers['apns-collapse-id'] ?? '').length > 64) return refuse(400, 'BadCollapseId');
    if (body === '') return refuse(400, 'PayloadEmpty');
    if (Buffer.byteLength(body) > 4096) return refuse(413, 'PayloadTooLarge');
    if (!('aps' in (JSON.parse(body) as object))) return refuse(400, 'no aps');
    const said = this.answer(came);
    if (said !== undefined) return said;
    if (this.devices && !this.devices.has(device)) return json(410, { reason: 'Unregistered', timestamp: Date.now() });
    this.came.push(came);
    return { status: 200 };
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise<void>(resolve => this.server.close(() => resolve()));
  }
}

/** A vendor that is spoken to by a template. */
export class AnyVendor extends HttpsVendor {
  static async open(): Promise<AnyVendor> {
    const vendor = new AnyVendor();
    await vendor.listen();
    return vendor;
  }

  protected take(came: Came): Said | 'nothing' {
    const said = this.answer(came);
    if (said !== undefined) return said;
    this.came.push(came);
    return { status: 200, body: '{"code":"80000000"}' };
  }
}
