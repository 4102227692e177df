import type { Jid } from '../jid/index.ts';
import { prepareResource } from '../jid/index.ts';
import { NS, StanzaError } from '../protocol/index.ts';
import type { Session } from '../session/session.ts';
import { randomName } from '../util/random.ts';
import { type Element, serialize } from '../xml/index.ts';
import type { ClientStream } from './client-stream.ts';
import type { StreamEnvironment, StreamHost } from './environment.ts';
import { enableNow, failedWire } from './management.ts';

/** What a <bind/> inside <authenticate/> asks for (XEP-0386 4). */
export interface BindRequest {
  readonly tag: string;
  /** What is to be on from the first moment, by namespace. */
  readonly features: ReadonlyMap<string, Element>;
}

/** A session that was bound, and <bound/> for its client. */
export interface Bound {
  readonly session: Session;
  readonly wire: string;
  /** XEP-0352: it begins inactive. */
  readonly inactive: boolean;
}

export function readBind(element: Element): BindRequest {
  const features = new Map<string, Element>();
  for (const child of element.getChildElements()) {
    const xmlns = child.getNS();
    if (xmlns !== undefined && xmlns !== NS.bind2 && !features.has(xmlns)) features.set(xmlns, child);
  }
  return { tag: element.getChildText('tag', NS.bind2)?.trim() ?? '', features };
}

/** The feature, with what can be asked for (XEP-0386 3). */
export function bindFeatureWire(env: StreamEnvironment, host: StreamHost): string {
  let list = env.sm.enabled ? featureWire(NS.sm) : '';
  list += featureWire(NS.csi);
  for (const { xmlns, asked, when } of env.collections.bindFeatures.items(owner => host.enabled(owner))) {
    if (asked && (when?.(host.domain) ?? true)) list += featureWire(xmlns);
  }
  return `<bind xmlns='${NS.bind2}'><inline>${list}</inline></bind>`;
}

function featureWire(xmlns: string): string {
  return `<feature var='${xmlns}'/>`;
}

/** Binds a resource and switches on what was asked for, before anything can reach the session. */
export async function bindInline(
  stream: ClientStream,
  account: Jid,
  client: string | undefined,
  anonymous: boolean,
  request: BindRequest,
): Promise<Bound | StanzaError> {
  const session = await stream.env.bind(stream, account, resource(stream, client, request.tag), anonymous, client);
  if (session instanceof StanzaError) return session;
  const wire = await switchOn(stream, session, request);
  if (!session.alive) return new StanzaError('conflict', { text: 'The session was ended by another one.' });
  return {
    session,
    wire: `<bound xmlns='${NS.bind2}'>${wire}</bound>`,
    inactive: request.features.get(NS.csi)?.name === 'inactive',
  };
}

/** XEP-0386 4.1: the tag, if it may stand in an address, and what is the same each time for a client that says who it is. */
function resource({ env }: ClientStream, client: string | undefined, tag: string): string {
  const own = client === undefined ? randomName(9) : env.clients.resourceOf(client, tag);
  return (tag === '' ? undefined : prepareResource(`${tag}/${own}`)) ?? own;
}

async function switchOn(stream: ClientStream, session: Session, { features }: BindRequest): Promise<string> {
  const { env, host } = stream;
  const enable = features.get(NS.sm);
  let managed = '';
  if (enable?.name === 'enable') {
    const { resume, max } = enable.attrs as { resume?: string; max?: string };
    managed = env.sm.enabled ? enableNow(stream, session, resume, max) : failedWire('feature-not-implemented');
  }
  const results: Promise<Element | undefined>[] = [];
  for (const item of env.collections.bindFeatures.items(owner => host!.enabled(owner))) {
    const request = features.get(item.xmlns);
    if ((item.asked && !request) || item.when?.(host!.domain) === false) continue;
    results.push(Promise.resolve(item.bound(session, request)));
  }
  const elements = await Promise.all(results);
  return managed + elements.map(element => (element ? serialize(element, NS.bind2) : '')).join('');
}
