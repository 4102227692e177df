import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import sinon from 'sinon';
import library from 'web-push';
import {
  AnyVendor,
  ApnsVendor,
  type Came,
  fcmError,
  FcmVendor,
  type Said,
  type Subscription,
  vendorPem,
  WebPushVendor,
} from '../../test/kit/vendors.ts';
import { tempFolder } from '../../test/kit/temp.ts';
import { until } from '../../test/kit/wait.ts';
import { isPublic } from './addresses.ts';
import { Apns } from './apns.ts';
import { type Payload, type PushChannel, retryAfter, type Target } from './channel.ts';
import { Fcm } from './fcm.ts';
import { authorities, Https } from './https.ts';
import { Template, type TemplateOptions } from './template.ts';
import { vapidKeys } from './vapid.ts';
import { WebPush } from './web-push.ts';

const PAYLOAD: Payload = {
  node: 'n1',
  messages: 3,
  requests: 0,
  sender: undefined,
  body: undefined,
  isCall: false,
};
const WHOLE: Payload = { ...PAYLOAD, requests: 2, sender: 'romeo@example.org', body: 'a "b" & <c>\r\n🌹 {token}' };
const CALL: Payload = { ...PAYLOAD, isCall: true };

const said = (status: number, body: object = {}, headers: Record<string, string> = {}): Said => ({
  status,
  headers,
  body: JSON.stringify(body),
});
const brief = async (channel: PushChannel, target: Target, payload = PAYLOAD): Promise<string> => {
  const { is, ...rest } = await channel.send(target, payload);
  const { after, all } = rest as { after?: number; all?: boolean };
  return [is, after !== undefined && Math.round(after), all && 'all']
    .filter(part => part !== false && part !== undefined)
    .join(' ');
};

describe('push gateway: channels', () => {
  let ca: string[];
  let https: Https;
  let patience = 15_000;
  let closing: (() => unknown)[] = [];
  before(async () => {
    ca = authorities((await vendorPem()).certificate)!;
  });
  beforeEach(() => {
    patience = 15_000;
    https = new Https(() => patience, 10, ca);
    closing = [() => https.close()];
  });
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
  });
  const opened = <T extends { close(): unknown }>(one: T): T => {
    closing.push(() => one.close());
    return one;
  };

  describe('Web Push (RFC 8030, RFC 8291, RFC 8292)', () => {
    let vendor: WebPushVendor;
    let channel: WebPush;
    beforeEach(async () => {
      vendor = opened(await WebPushVendor.open());
      const keys = await vapidKeys(tempFolder(), library);
      channel = new WebPush({ contact: 'mailto:admin@example.org', hosts: ['localhost'] }, keys, https, library);
    });
    const target = ({ endpoint, p256dh, auth }: Subscription): Target => ({ endpoint, p256dh, auth });

    it('is signed and encrypted as a push service and a browser want it', async () => {
      const device = target(vendor.subscribe());
      assert.equal(channel.problem(device), undefined);
      assert.equal(await brief(channel, device, WHOLE), 'accepted');
      const { body, headers } = await vendor.next();
      assert.deepEqual(JSON.parse(body), {
        node: 'n1',
        'message-count': '3',
        'pending-subscription-count': '2',
        'last-message-sender': 'romeo@example.org',
        'last-message-body': WHOLE.body,
      });
      assert.deepEqual([headers.urgency, headers.topic, Number(headers.ttl)], ['high', 'messages', 28 * 86_400]);
      assert.deepEqual(vendor.faults, []);
    });

    it('a call is of use at once or not at all', async () => {
      assert.equal(await brief(channel, target(vendor.subscribe()), CALL), 'accepted');
      const { body, headers } = await vendor.next();
      assert.deepEqual([headers.topic, headers.ttl], [undefined, '30']);
      assert.equal((JSON.parse(body) as { call: string }).call, '1');
    });

    it('one token serves until it is old', async () => {
      const clock = sinon.useFakeTimers({ toFake: ['Date'], now: Date.now() });
      try {
        const device = target(vendor.subscribe());
        const tokens: unknown[] = [];
        for (const hours of [0, 1, 7]) {
          clock.setSystemTime(Date.now() + hours * 3_600_000);
          await channel.send(device, PAYLOAD);
          tokens.push((await vendor.next()).headers.authorization);
        }
        assert.equal(tokens[0], tokens[1]);
        assert.notEqual(tokens[1], tokens[2]);
      } finally {
        clock.restore();
      }
    });

    it('what becomes of it', async () => {
      const device = target(vendor.subscribe());
      for (const [answer, expected] of [
        [said(404), 'gone'],
        [said(410), 'gone'],
        [said(429, {}, { 'Retry-After': '7' }), 'retry 7'],
        [said(503), 'retry'],
        [said(413), 'refused'],
        [said(403), 'refused'],
        [said(307, {}, { Location: 'https://localhost/elsewhere' }), 'refused'],
      ] as const) {
        vendor.answer = () => answer;
        assert.equal(await brief(channel, device), expected, String(answer.status));
      }
      assert.equal(await brief(channel, { ...device, endpoint: `${vendor.url}/push/none` }), 'gone');
      vendor.answer = () => 'nothing';
      patience = 100;
      assert.equal(await brief(channel, device), 'retry');
    });

    it('takes only what can be one, and goes only where it may', () => {
      const device = target(vendor.subscribe());
      for (const [wrong, why] of [
        [{ endpoint: 'http://localhost/x' }, /https/],
        [{ endpoint: 'https://user:x@localhost/x' }, /https/],
        [{ endpoint: `https://localhost/${'x'.repeat(2048)}` }, /https/],
        [{ endpoint: '' }, /https/],
        [{ endpoint: 'https://elsewhere.example/x' }, /elsewhere/],
        [{ endpoint: 'https://localhost.evil.example/x' }, /evil/],
        [{ p256dh: '' }, /p256dh/],
        [{ p256dh: 'AAAA' }, /p256dh/],
        [{ auth: 'AAAA' }, /auth/],
      ] as const)
        assert.match(channel.problem({ ...device, ...wrong }) ?? '', why);
    });

    it('where every push service is used, none that only some reach', async () => {
      const keys = await vapidKeys(tempFolder(), library);
      const open = new WebPush({ contact: 'mailto:a@b.c', hosts: ['*'] }, keys, https, library);
      const device = target(vendor.subscribe());
      assert.equal(open.problem({ ...device, endpoint: 'https://push.example/x' }), undefined);
      for (const address of ['https://127.0.0.1/x', 'https://[::1]/x', 'https://2130706433/x', 'https://0x7f.1/x'])
        assert.match(open.problem({ ...device, endpoint: address }) ?? '', /sends nothing/, address);
      assert.equal(open.problem(device), undefined);
      assert.equal(await brief(open, device), 'retry');
      assert.equal(vendor.requests, 0);
      const below = new WebPush({ contact: 'mailto:a@b.c', hosts: ['*.example.org'] }, keys, https, library);
      assert.equal(below.problem({ ...device, endpoint: 'https://a.b.example.org/x' }), undefined);
      assert.ok(below.problem({ ...device, endpoint: 'https://evilexample.org/x' }));
    });

    it('its keys are made once, and stay', async () => {
      const folder = `${tempFolder()}/a`;
      const keys = await vapidKeys(folder, library);
      assert.deepEqual(await vapidKeys(folder, library), keys);
      const { readFileSync, statSync, writeFileSync } = await import('node:fs');
      assert.equal(statSync(`${folder}/vapid.json`).mode & 0o777, 0o600);
      assert.match(readFileSync(`${folder}/vapid.json`, 'utf8'), /publicKey/);
      writeFileSync(`${folder}/vapid.json`, '{}');
      await assert.rejects(vapidKeys(folder, library), /holds no keys/);
    });
  });

  describe('FCM (HTTP v1)', () => {
    let vendor: FcmVendor;
    let channel: Fcm;
    beforeEach(async () => {
      vendor = opened(await FcmVendor.open());
      channel = new Fcm(vendor.account, vendor.url, https);
    });
    const device = { token: 'dPrh685:APA91b_x-y' };

    it('is a data message with a token that was granted to the service account', async () => {
      assert.equal(channel.problem(device), undefined);
      assert.equal(await brief(channel, device, WHOLE), 'accepted');
      const { message } = JSON.parse((await vendor.next()).body) as { message: Record<string, unknown> };
      assert.deepEqual(message, {
        token: device.token,
        data: {
          node: 'n1',
          'message-count': '3',
          'pending-subscription-count': '2',
          'last-message-sender': 'romeo@example.org',
          'last-message-body': WHOLE.body,
        },
        android: { priority: 'HIGH', ttl: '2419200s', collapse_key: 'messages' },
      });
      await channel.send(device, CALL);
      const call = JSON.parse((await vendor.next()).body) as { message: { android: object; data: { call: string } } };
      assert.deepEqual(call.message.android, { priority: 'HIGH', ttl: '30s' });
      assert.equal(call.message.data.call, '1');
      assert.deepEqual(vendor.faults, []);
    });

    it('one grant serves for many, until shortly before its end', async () => {
      await Promise.all(Array.from({ length: 20 }, () => channel.send(device, PAYLOAD)));
      assert.equal(vendor.grants, 1);
      const clock = sinon.useFakeTimers({ toFake: ['Date'], now: Date.now() });
      try {
        clock.setSystemTime(Date.now() + 3_200_000);
        await channel.send(device, PAYLOAD);
        assert.equal(vendor.grants, 1);
        clock.setSystemTime(Date.now() + 200_000);
        await channel.send(device, PAYLOAD);
        assert.equal(vendor.grants, 2);
      } finally {
        clock.restore();
      }
      assert.equal(vendor.came.length, 22);
    });

    it('a token that is not taken any more is asked for anew, once', async () => {
      await channel.send(device, PAYLOAD);
      vendor.granted.clear();
      assert.equal(await brief(channel, device), 'accepted');
      assert.equal(vendor.grants, 2);
      vendor.answer = () => said(401);
      assert.equal(await brief(channel, device), 'retry');
      assert.equal(vendor.grants, 3);
    });

    it('what becomes of it', async () => {
      for (const [answer, expected] of [
        [fcmError(404, 'UNREGISTERED'), 'gone'],
        [fcmError(403, 'SENDER_ID_MISMATCH'), 'gone'],
        [fcmError(400, 'INVALID_ARGUMENT'), 'gone'],
        [fcmError(400, 'INVALID_ARGUMENT', 'google.rpc.BadRequest'), 'refused'],
        [said(400, { error: { status: 'INVALID_ARGUMENT' } }), 'refused'],
        [fcmError(429, 'QUOTA_EXCEEDED'), 'retry 60 all'],
        [said(429, {}, { 'Retry-After': '5' }), 'retry 5 all'],
        [said(503, {}, { 'Retry-After': '9' }), 'retry 9 all'],
        [said(500), 'retry'],
        [said(403), 'refused'],
        [{ status: 200, body: 'no JSON' }, 'accepted'],
        [{ status: 400, body: '[]' }, 'refused'],
      ] as const) {
        vendor.answer = () => answer;
        assert.equal(await brief(channel, device), expected, answer.body);
      }
      vendor.answer = () => 'nothing';
      patience = 100;
      assert.equal(await brief(channel, device), 'retry');
    });

    it('without a grant nothing goes, and nothing is given up', async () => {
      vendor.tokenAnswer = said(400, { error: 'invalid_grant' });
      assert.equal(await brief(channel, device), 'retry 60 all');
      vendor.tokenAnswer = { status: 200, body: '<html>' };
      assert.equal(await brief(channel, device), 'retry 60 all');
      vendor.tokenAnswer = undefined;
      assert.equal(await brief(channel, device), 'accepted');
    });

    it('says what is wrong with its account, and with a token', () => {
      const account = JSON.parse(vendor.account) as object;
      const made = (json: object | string) => () =>
        new Fcm(typeof json === 'string' ? json : JSON.stringify(json), vendor.url, https);
      assert.throws(made('x'), /project_id/);
      assert.throws(made({ ...account, client_email: undefined }), /client_email/);
      assert.throws(made({ ...account, token_uri: 'http://x' }), /token_uri/);
      assert.throws(made({ ...account, private_key: 'x' }), /private key/);
      for (const token of ['', 'a b', 'é', 'x'.repeat(5000)]) assert.ok(channel.problem({ token }));
    });
  });

  describe('APNs (HTTP/2, tokens)', () => {
    let vendor: ApnsVendor;
    let channel: Apns;
    beforeEach(async () => {
      vendor = opened(await ApnsVendor.open());
      channel = opened(new Apns(vendor.options, () => patience, ca));
    });
    const device = { token: 'ab'.repeat(32) };

    it('has the headers that Apple wants, and what the app shows', async () => {
      assert.equal(channel.problem(device), undefined);
      assert.equal(await brief(channel, device), 'accepted');
      const { headers, body, path } = await vendor.next();
      assert.equal(path, `/3/device/${device.token}`);
      assert.deepEqual(
        ['apns-topic', 'apns-push-type', 'apns-priority', 'apns-collapse-id'].map(name => headers[name]),
        [vendor.topic, 'alert', '10', 'messages-n1'],
      );
      assert.deepEqual(JSON.parse(body), {
        aps: {
          alert: { body: 'New message' },
          badge: 3,
          sound: 'default',
          'mutable-content': 1,
          'content-available': 1,
        },
        node: 'n1',
        'message-count': '3',
      });
      await channel.send(device, WHOLE);
      const whole = JSON.parse((await vendor.next()).body) as { aps: { alert: object } };
      assert.deepEqual(whole.aps.alert, { title: 'romeo@example.org', body: WHOLE.body });
      assert.deepEqual(vendor.faults, []);
    });

    it('calls ring at once, by the token for calls where there is one', async () => {
      await channel.send(device, CALL);
      const plain = (await vendor.next()).headers;
      assert.deepEqual([plain['apns-push-type'], plain['apns-collapse-id']], ['alert', undefined]);
      assert.ok(Number(plain['apns-expiration']) < Date.now() / 1000 + 31);
      const both = { ...device, voip: 'cd'.repeat(32) };
      await channel.send(both, CALL);
      const voip = await vendor.next();
      assert.deepEqual([voip.path, voip.headers['apns-topic']], [`/3/device/${both.voip}`, `${vendor.topic}.voip`]);
      await channel.send(both, PAYLOAD);
      assert.equal((await vendor.next()).path, `/3/device/${device.token}`);
      vendor.answer = () => said(410, { reason: 'Unregistered' });
      assert.equal(await brief(channel, both, CALL), 'refused', 'the device itself may be there');
    });

    it('one connection and one token serve for many; a token is renewed before it is an hour old', async () => {
      await Promise.all(Array.from({ length: 50 }, () => channel.send(device, PAYLOAD)));
      assert.deepEqual([vendor.connections, vendor.tokens.size, vendor.came.length], [1, 1, 50]);
      const clock = sinon.useFakeTimers({ toFake: ['Date'], now: Date.now() });
      try {
        clock.setSystemTime(Date.now() + 44 * 60_000);
        await channel.send(device, PAYLOAD);
        assert.equal(vendor.tokens.size, 1);
        clock.setSystemTime(Date.now() + 2 * 60_000);
        await channel.send(device, PAYLOAD);
        assert.equal(vendor.tokens.size, 2);
      } finally {
        clock.restore();
      }
      assert.equal(vendor.connections, 1);
    });

    it('what becomes of it', async () => {
      for (const [answer, expected] of [
        [said(410, { reason: 'Unregistered' }), 'gone'],
        [said(410, { reason: 'ExpiredToken' }), 'gone'],
        [said(400, { reason: 'BadDeviceToken' }), 'gone'],
        [said(400, { reason: 'DeviceTokenNotForTopic' }), 'gone'],
        [said(400, { reason: 'BadTopic' }), 'refused'],
        [said(403, { reason: 'InvalidProviderToken' }), 'refused'],
        [said(413, { reason: 'PayloadTooLarge' }), 'refused'],
        [said(429, { reason: 'TooManyRequests' }), 'retry'],
        [said(429, { reason: 'TooManyProviderTokenUpdates' }), 'retry 1200 all'],
        [said(500, { reason: 'InternalServerError' }), 'retry'],
        [said(503, { reason: 'ServiceUnavailable' }, { 'retry-after': '11' }), 'retry 11'],
        [{ status: 400, body: 'x' }, 'refused'],
      ] as const) {
        vendor.answer = () => answer;
        assert.equal(await brief(channel, device), expected, answer.body);
      }
    });

    it('a token that is too old for Apple is made anew, but not every moment', async () => {
      const clock = sinon.useFakeTimers({ toFake: ['Date'], now: Date.now() });
      try {
        await channel.send(device, PAYLOAD);
        vendor.answer = () => said(403, { reason: 'ExpiredProviderToken' });
        clock.setSystemTime(Date.now() + 60_000);
        assert.match(await brief(channel, device), /^retry 1(139|140|141) all$/);
        clock.setSystemTime(Date.now() + 20 * 60_000);
        assert.equal(await brief(channel, device), 'retry 0 all');
        vendor.answer = () => undefined;
        assert.equal(await brief(channel, device), 'accepted');
        assert.equal(vendor.tokens.size, 2);
      } finally {
        clock.restore();
      }
    });

    it('goes on over another connection when Apple sends GOAWAY, and when one is cut', async () => {
      await channel.send(device, PAYLOAD);
      for (const end of [
        () => [...vendor.sessions].forEach(session => session.goaway()),
        () => [...vendor.sessions].forEach(session => session.close()),
        () => [...vendor.sessions].forEach(session => session.destroy()),
      ]) {
        const before = vendor.connections;
        end();
        await until(async () => (await brief(channel, device)) === 'accepted', 'another connection');
        assert.equal(vendor.connections, before + 1);
      }
    });

    it('what was under way on a connection that breaks is tried again, and so is what is not answered', async () => {
      vendor.answer = () => 'nothing';
      const waiting = brief(channel, device);
      await until(() => vendor.requests === 1, 'the request');
      for (const session of vendor.sessions) session.destroy();
      assert.equal(await waiting, 'retry');
      patience = 200;
      assert.equal(await brief(channel, device), 'retry');
      patience = 15_000;
      vendor.answer = () => undefined;
      assert.equal(await brief(channel, device), 'accepted');
      assert.equal(vendor.connections, 3);
    });

    it('a server that is not there is tried again, and used when it is', async () => {
      const { port } = vendor;
      await vendor.close();
      const { options } = vendor;
      assert.equal(await brief(channel, device), 'retry');
      vendor = opened(await ApnsVendor.open(port));
      const again = opened(new Apns({ ...vendor.options, server: options.server }, () => patience, ca));
      assert.equal(await brief(again, device), 'accepted');
      closing = closing.filter((_, index) => index !== 1);
    });

    it('says what is wrong with its options, and with a token', () => {
      const made = (changes: object) => () => new Apns({ ...vendor.options, ...changes }, () => 1, ca);
      assert.throws(made({ keyId: '' }), /keyId/);
      assert.throws(made({ key: 'x' }), /private key/);
      const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
        type: 'pkcs8',
        format: 'pem',
      });
      assert.throws(made({ key: String(rsa) }), /EC/);
      for (const token of ['', 'xyz', '../../x', 'ab'.repeat(200)]) assert.ok(channel.problem({ token }));
      assert.ok(channel.problem({ ...device, voip: 'x' }));
    });
  });

  describe('a template of an HTTP request', () => {
    let vendor: AnyVendor;
    const OPTIONS: TemplateOptions = {
      url: 'https://localhost/push?to={token}',
      method: 'POST',
      headers: { Authorization: 'key={secret:key}', 'X-Sender': '{sender}' },
      format: 'json',
      body: '{"to":["{token}"],"title":"{sender}","text":"{body}","badge":{count},"call":{call}}',
      secrets: { key: 's3"cret' },
      gone: [404],
      goneText: '80300007',
      retry: [429, 503],
      retryText: '80300010',
      acceptedText: '80000000',
    };
    beforeEach(async () => {
      vendor = opened(await AnyVendor.open());
    });
    const channel = (options: Partial<TemplateOptions> = {}): Template =>
      new Template('huawei', { ...OPTIONS, url: `${vendor.url}/push?to={token}`, ...options }, https);
    const device = { token: 'a/b?c="d"&<e>\r\n🌹' };
    const sent = async (options: Partial<TemplateOptions>): Promise<Came> => {
      assert.equal(await brief(channel(options), device, WHOLE), 'accepted');
      return vendor.next();
    };

    it('nothing that is put in ends what it stands in', async () => {
      const json = await sent({});
      assert.equal(json.path, `/push?to=${encodeURIComponent(device.token)}`);
      assert.equal(json.headers.authorization, 'key=s3"cret');
      assert.equal(json.headers['x-sender'], 'romeo@example.org');
      assert.deepEqual(JSON.parse(json.body), {
        to: [device.token],
        title: WHOLE.sender,
        text: WHOLE.body,
        badge: 3,
        call: 0,
      });
      const form = await sent({ format: 'form', body: 'to={token}&text={body}&n={requests}' });
      assert.equal(form.headers['content-type'], 'application/x-www-form-urlencoded');
      const fields = new URLSearchParams(form.body);
      assert.deepEqual([fields.get('to'), fields.get('text'), fields.get('n')], [device.token, WHOLE.body, '2']);
      const xml = await sent({ format: 'xml', body: "<m to='{token}'>{body}</m>" });
      assert.match(
        xml.body,
        /^<m to='a\/b\?c=&quot;d&quot;&amp;&lt;e&gt;\r\n🌹'>a &quot;b&quot; &amp; &lt;c&gt;\r\n🌹 \{token\}<\/m>$/u,
      );
      const text = await sent({ format: 'text', body: '{node} {body}' });
      assert.equal(text.body, `n1 ${WHOLE.body}`);
      const header = await sent({ headers: { 'X-Body': '{body}' } });
      assert.equal(header.headers['x-body'], 'a "b" & <c> {token}');
    });

    it('what becomes of it, by status or by a text', async () => {
      for (const [answer, expected] of [
        [said(200, { code: '80000000' }), 'accepted'],
        [said(200, { code: 'else' }), 'refused'],
        [said(404), 'gone'],
        [said(200, { code: '80300007' }), 'gone'],
        [said(429, {}, { 'Retry-After': '4' }), 'retry 4'],
        [said(200, { code: '80300010' }), 'retry'],
        [said(500), 'refused'],
      ] as const) {
        vendor.answer = () => answer;
        assert.equal(await brief(channel(), device), expected, answer.body);
      }
      await vendor.close();
      assert.equal(await brief(channel(), device), 'retry');
      closing = closing.filter((_, index) => index !== 1);
    });

    it('says what is wrong with it', () => {
      for (const [options, why] of [
        [{ url: 'http://localhost/' }, /https/],
        [{ url: 'https://{token}/' }, /https/],
        [{ url: 'https://a{token}.example/' }, /https/],
        [{ body: '{"a":{tokens}}' }, /tokens/],
        [{ body: '{"a":{token}}' }, /JSON/],
        [{ headers: { A: '{secret:other}' } }, /other/],
      ] as const)
        assert.throws(() => channel(options), why);
      assert.ok(channel().problem({ token: '' }));
      assert.ok(channel().problem({ token: 'x'.repeat(5000) }));
    });
  });

  it('addresses that the whole world reaches', () => {
    for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])
      assert.ok(isPublic(address), address);
    for (const address of [
      '127.0.0.1',
      '10.1.2.3',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      '::1',
      '::',
      '::ffff:8.8.8.8',
      'fe80::1',
      'fc00::1',
      '2001:db8::1',
      '2001::1',
      '2002:7f00:1::',
      '64:ff9b::7f00:1',
    ])
      assert.ok(!isPublic(address), address);
  });

  it('Retry-After (RFC 9110 10.2.3)', () => {
    assert.equal(retryAfter('12'), 12);
    assert.equal(retryAfter('Thu, 26 Nov 2026 07:00:30 GMT', Date.UTC(2026, 10, 26, 7)), 30);
    assert.equal(retryAfter('Thu, 26 Nov 2026 06:00:30 GMT', Date.UTC(2026, 10, 26, 7)), 0);
    for (const none of [undefined, '', 'soon', '-1']) assert.equal(retryAfter(none), undefined, none);
  });
});
