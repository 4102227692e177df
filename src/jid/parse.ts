/** Text to addresses, and the table that makes it cheap. */
import { Lru } from '../util/lru.ts';
import { enforceDomain } from './idna/domain.ts';
import { Jid } from './jid.ts';
import { enforceLocal, enforceResource } from './precis.ts';
import { EMPTY, MAX_TEXT_BYTES, Refusal, refuseRaw } from './refusal.ts';

/** Longer texts are parsed each time, so that strangers cannot fill the table with kilobytes. */
const MAX_INTERNED = 256;

/** By raw text: what came from the network and what it became. */
const known = new Lru<string, Jid>(65_536);
/** By raw domain, so that the addresses at a domain share its string and its preparation. */
const domains = new Lru<string, string>(4096);

/** The address that text stands for, prepared (RFC 7622 3); undefined if it is malformed or not to be prepared. */
export function parseJid(text: string): Jid | undefined {
  return known.get(text) ?? parseNew(text);
}

/** Why text is not an address, as a sentence without a full stop; undefined if it is one. */
export function jidProblem(text: string): string | undefined {
  if (parseJid(text)) return undefined;
  const raw = refuseRaw(text);
  if (raw === EMPTY) return 'the address must not be empty';
  if (raw)
    return text.isWellFormed()
      ? `the address must not be longer than ${MAX_TEXT_BYTES} bytes`
      : `the address ${raw.why}`;
  const { local, domain, resource } = split(text);
  return (
    problem('local', local === undefined ? undefined : enforceLocal(local)) ??
    problem('domain', enforceDomain(domain)) ??
    problem('resource', resource === undefined ? undefined : enforceResource(resource))
  );
}

/** A localpart, prepared; undefined if refused. */
export function prepareLocal(text: string): string | undefined {
  return orUndefined(enforceLocal(text));
}

/** A domainpart, prepared; undefined if refused. */
export function prepareDomain(text: string): string | undefined {
  return domains.get(text) ?? orUndefined(enforceDomain(text));
}

/** A resourcepart, prepared; undefined if refused. */
export function prepareResource(text: string): string | undefined {
  const prepared = orUndefined(enforceResource(text));
  // It will live as long as a session does
  return prepared === undefined ? undefined : ownCopy(prepared);
}

/** RFC 7622 3.1: the resourcepart begins behind the first '/', the localpart ends before the first '@' in the rest. */
function split(text: string): { local: string | undefined; domain: string; resource: string | undefined } {
  const slash = text.indexOf('/');
  const bare = slash < 0 ? text : text.slice(0, slash);
  const at = bare.indexOf('@');
  return {
    local: at < 0 ? undefined : bare.slice(0, at),
    domain: bare.slice(at + 1),
    resource: slash < 0 ? undefined : text.slice(slash + 1),
  };
}

function parseNew(text: string): Jid | undefined {
  if (refuseRaw(text)) return undefined;
  const own = ownCopy(text);
  const intern = own.length <= MAX_INTERNED;
  const jid = assemble(own, intern);
  if (!jid || !intern) return jid;
  // Another spelling of an address that is known: one object for both
  const same = jid.full === own ? undefined : known.get(jid.full);
  if (!same && jid.full.length <= MAX_INTERNED) known.set(jid.full, jid);
  if (jid.full !== own) known.set(own, same ?? jid);
  return same ?? jid;
}

function assemble(text: string, intern: boolean): Jid | undefined {
  const parts = split(text);
  if (parts.resource !== undefined) {
    const resource = enforceResource(parts.resource);
    if (resource instanceof Refusal) return undefined;
    const bare = parseJid(text.slice(0, -parts.resource.length - 1));
    if (!bare) return undefined;
    const full = `${bare.full}/${resource}`;
    return new Jid(bare.local, bare.domain, resource, bare, full === text ? text : full);
  }
  const local = parts.local === undefined ? '' : enforceLocal(parts.local);
  if (local instanceof Refusal) return undefined;
  const domain = intern ? internDomain(parts.domain) : orUndefined(enforceDomain(parts.domain));
  if (domain === undefined || (local === '' && parts.local !== undefined)) return undefined;
  const full = local === '' ? domain : `${local}@${domain}`;
  return new Jid(local, domain, '', undefined, full === text ? text : full);
}

function internDomain(raw: string): string | undefined {
  const found = domains.get(raw);
  if (found !== undefined) return found;
  const prepared = orUndefined(enforceDomain(raw));
  if (prepared === undefined) return undefined;
  const domain = (prepared === raw ? undefined : domains.get(prepared)) ?? ownCopy(prepared);
  domains.set(domain, domain);
  if (domain !== raw) domains.set(ownCopy(raw), domain);
  return domain;
}

/** A string of its own memory: V8 cuts strings out of bigger ones, and a whole read from a socket would stay alive. */
function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}

function orUndefined(answer: string | Refusal): string | undefined {
  return answer instanceof Refusal ? undefined : answer;
}

function problem(part: string, answer: string | Refusal | undefined): string | undefined {
  return answer instanceof Refusal ? `the ${part} part ${answer.why}` : undefined;
}
