import { Jid } from '../jid/index.ts';
import { NS, StanzaError } from '../protocol/index.ts';
import { escapeXml, type Stanza, toWire } from '../xml/index.ts';
import { andThen, type MaybePromise } from '../util/maybe.ts';
import { readAuthenticate, type AuthenticateRequest } from './authenticate.ts';
import { type Bound, bindInline } from './bind2.ts';
import type { ClientStream } from './client-stream.ts';
import type { GivenToken, LoginNoted } from './clients.ts';
import { boundFeatures, sessionFeatures } from './features.ts';
import type { SaslProfile } from './login.ts';
import { failedWire, tooHigh } from './management.ts';
import { resumedWire, whenFree } from './resumption.ts';
import {
  begin,
  decodeResponse,
  HashedTokenExchange,
  type SaslExchange,
  type SaslFailure,
  type SaslSuccess,
} from './sasl/index.ts';

/** <authenticate/>, <response/>, <abort/> (XEP-0388 2). */
export function onSasl2(stream: ClientStream, stanza: Stanza): void {
  const { login } = stream;
  const under = login.speaks;
  if (stanza.name === 'authenticate') authenticate(stream, stanza);
  else if (stanza.name === 'response' && under instanceof Authentication) {
    const decoded = decodeResponse(stanza.inner.trim());
    if (decoded) login.step(decoded.data);
    else login.fail(under, 'incorrect-encoding');
  } else if (stanza.name === 'abort' && under instanceof Authentication) login.fail(under, 'aborted');
  else stream.fail({ condition: 'not-authorized', text: `<${stanza.name}/> has no place here (XEP-0388).` });
}

function authenticate(stream: ClientStream, stanza: Stanza): void {
  const { login } = stream;
  const request = readAuthenticate(stanza);
  const profile = new Authentication(request);
  if (!stream.sasl2) return login.fail(profile, 'encryption-required', 'It is not offered here.');
  // XEP-0388 2.4
  if (login.speaks) return stream.fail({ condition: 'not-authorized', text: 'A login is under way already.' });
  if (request.fault !== undefined) return login.fail(profile, 'malformed-request', request.fault);
  const exchange = exchangeOf(stream, profile);
  if (typeof exchange === 'string') return login.fail(profile, exchange);
  login.begin(exchange, profile);
  if (request.initial === 'incorrect') login.fail(profile, 'incorrect-encoding');
  else login.step(request.initial);
}

function exchangeOf(stream: ClientStream, profile: Authentication): SaslExchange | SaslFailure {
  const { mechanism, agent, fast } = profile.request;
  const ctx = stream.login.context();
  if (!stream.fast.includes(mechanism)) return begin(mechanism, ctx) ?? 'invalid-mechanism';
  // XEP-0484 3.3: whoever brings a token says so, and who it is
  if (!fast || !agent) return 'malformed-request';
  const { clients } = stream.env;
  return new HashedTokenExchange(mechanism, ctx, local => clients.tokensOf(profile.clientOf(stream, local)!));
}

/** A login that succeeded, on its way to a session. */
interface Granted {
  readonly account: Jid;
  readonly step: SaslSuccess;
  readonly mechanism: string;
  /** Names its client, where that said who it is. */
  readonly client: string | undefined;
  readonly token: GivenToken | undefined;
}

/** The profile of XEP-0388, for one <authenticate/> and what it asks for besides. */
export class Authentication implements SaslProfile {
  readonly request: AuthenticateRequest;
  private named: { readonly local: string; readonly id: string } | undefined;

  constructor(request: AuthenticateRequest) {
    this.request = request;
  }

  /** Names the client of an account, where it said who it is. */
  clientOf(stream: ClientStream, local: string): string | undefined {
    const { agent } = this.request;
    if (!agent) return undefined;
    if (this.named?.local !== local) {
      const id = stream.env.clients.idOf(new Jid(local, stream.host!.domain, ''), agent.id);
      this.named = { local, id };
    }
    return this.named!.id;
  }

  challenge(stream: ClientStream, data: Buffer): void {
    stream.connection.write(`<challenge xmlns='${NS.sasl2}'>${data.toString('base64')}</challenge>`);
  }

  failure(stream: ClientStream, condition: SaslFailure, message: string | undefined): void {
    const explanation = message ? `<text>${escapeXml(message)}</text>` : '';
    stream.connection.write(`<failure xmlns='${NS.sasl2}'><${condition} xmlns='${NS.sasl}'/>${explanation}</failure>`);
  }

  success(stream: ClientStream, step: SaslSuccess, mechanism: string): MaybePromise<boolean> {
    const account = new Jid(step.local, stream.host!.domain, '');
    const client = step.anonymous ? undefined : this.clientOf(stream, step.local);
    const noted = client === undefined ? undefined : this.note(stream, client, account, step);
    const go = (result: LoginNoted): MaybePromise<boolean> => {
      // it was revoked, or replayed, while it was looked at
      if (result === 'refused') return this.refuse(stream, step.local, 'not-authorized');
      return this.proceed(stream, { account, step, mechanism, client, token: result });
    };
    return andThen(noted, go);
  }

  private note(stream: ClientStream, id: string, account: Jid, { token }: SaslSuccess): MaybePromise<LoginNoted> {
    const { agent, fast, requestToken } = this.request;
    const request = requestToken !== undefined && stream.fast.includes(requestToken) ? requestToken : undefined;
    return stream.env.clients.loggedIn({
      id,
      account,
      agent: agent!,
      token,
      count: fast?.count,
      invalidate: fast?.invalidate ?? false,
      request,
    });
  }

  private refuse(stream: ClientStream, local: string, condition: SaslFailure, text?: string): false {
    stream.login.fail(this, condition, text, local);
    return false;
  }

  /** XEP-0386 4: resumption comes first, and binding only where that failed. */
  private proceed(stream: ClientStream, granted: Granted): MaybePromise<boolean> {
    if (stream.state !== 'login') return true;
    const { resume } = this.request;
    if (!resume) return this.bind(stream, granted, '');
    const { previd, h } = resume;
    if (previd === undefined || h === undefined) return this.bind(stream, granted, failedWire('bad-request'));
    const { account, client } = granted;
    const gone = (): MaybePromise<boolean> =>
      this.bind(stream, granted, failedWire('item-not-found', stream.env.handledBefore(previd, account)));
    const session = stream.env.resumable(previd, account);
    if (!session) return gone();
    const wanted = (): boolean => stream.state === 'login';
    return whenFree(session, h, wanted, () => {
      if (!wanted()) return true;
      if (!session.alive) return gone();
      if (!session.takeOver(stream, h, stream.lang)) {
        tooHigh(stream, session, h);
        return true;
      }
      session.client = client;
      this.enter(stream, granted);
      stream.begin(session);
      // XEP-0198 9.2: no features follow
      this.write(stream, granted, session.jid, resumedWire(session, previd));
      session.flush();
      stream.connection.flush();
      stream.env.resumed(stream, session);
      return true;
    });
  }

  /** A session of its own if it asked for one; without, the client binds a resource next (RFC 6120 7). */
  private bind(stream: ClientStream, granted: Granted, failed: string): MaybePromise<boolean> {
    const { env, host, connection } = stream;
    const { account, client, step } = granted;
    if (!this.request.bind) {
      this.enter(stream, granted);
      stream.state = 'binding';
      stream.client = client;
      this.write(stream, granted, account, failed);
      connection.write(sessionFeatures(env, host!, connection));
      return true;
    }
    return bindInline(stream, account, client, step.anonymous ?? false, this.request.bind).then(bound => {
      if (bound instanceof StanzaError) {
        // nothing says how binding fails here: a client that is told so can try again, or by the other way
        if (stream.state === 'login') this.refuse(stream, step.local, 'temporary-auth-failure', bound.text);
        return false;
      }
      this.begin(stream, granted, failed, bound);
      return true;
    });
  }

  private begin(stream: ClientStream, granted: Granted, failed: string, { session, wire, inactive }: Bound): void {
    const { env, host, connection } = stream;
    if (stream.state !== 'login') {
      // the stream went away while it was waited for
      session.finish();
      return;
    }
    this.enter(stream, granted);
    session.attach(stream, stream.lang);
    stream.begin(session);
    if (inactive) session.setActive(false);
    this.write(stream, granted, session.jid, failed + wire);
    connection.write(boundFeatures(env, host!, connection, session.resumption !== undefined));
    session.flush();
    connection.flush();
    env.begun(stream, session);
  }

  private enter(stream: ClientStream, { account, step, mechanism }: Granted): void {
    stream.authenticated(account, step.anonymous ?? false, mechanism);
  }

  /** XEP-0388 2.5.1. */
  private write(stream: ClientStream, { step, token }: Granted, jid: Jid, results: string): void {
    const data = step.data ? `<additional-data>${step.data.toString('base64')}</additional-data>` : '';
    const identifier = `<authorization-identifier>${toWire(escapeXml(jid.full))}</authorization-identifier>`;
    const given = token ? tokenWire(token) : '';
    stream.connection.write(`<success xmlns='${NS.sasl2}'>${data}${identifier}${results}${given}</success>`);
  }
}

/** XEP-0484 3.2, with the time as XEP-0082 has it. */
function tokenWire({ secret, expiry }: GivenToken): string {
  const until = `${new Date(expiry).toISOString().slice(0, 19)}Z`;
  return `<token xmlns='${NS.fast}' expiry='${until}' token='${secret}'/>`;
}
