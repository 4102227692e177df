import type { Portable } from '../api/collections.ts';
import type { Jid } from '../jid/index.ts';
import { fromWire, parseElement, toWire } from '../xml/index.ts';
import type { Node } from './node.ts';
import { MECHANISMS, readCredentials } from './portable-account.ts';

/** Accounts that are listed in one go. */
const ACCOUNTS = 500;
/** Entries that are taken in at once. */
const AT_ONCE = 50;

/** A part of accounts' data, as the command line knows it. */
export interface Section {
  readonly name: string;
  readonly container?: { readonly name: string; readonly xmlns: string };
  readonly entry?: { readonly name: string; readonly xmlns: string };
}

/** An element of a file, where it stands (file and line), and its number among those of its account. */
export interface ImportEntry {
  readonly xml: string;
  readonly at: string;
  readonly place: number;
}

export interface ImportOutcome {
  readonly imported: number;
  readonly known: number;
  readonly problems: readonly { readonly at: string; readonly text: string }[];
}

export function sections(node: Node): Section[] {
  return [...node.collections.portable.items()].map(({ name, container, entry }) => ({ name, container, entry }));
}

/** Accounts of a host by name, a page of them, and where to go on. */
export async function accountsOf(node: Node, host: string, after: string) {
  const accounts = await node.accounts.list(host, after, ACCOUNTS);
  return {
    names: accounts.map(({ jid }) => jid.local),
    total: await node.accounts.count(host),
    ...(accounts.length === ACCOUNTS && { next: accounts.at(-1)!.jid.local }),
  };
}

/** Entries of a section of an account's data, as text. */
export async function exported(node: Node, account: Jid, section: string, after: string) {
  const page = await portable(node, account, section)?.export(account, after);
  return { entries: page?.entries.map(fromWire) ?? [], next: page?.next };
}

/** What became of an account of a file. */
export interface ImportedAccount {
  readonly outcome: 'created' | 'exists';
  /** Nobody knows its password. */
  readonly locked?: boolean;
  /** The mechanisms that it can log in by, where those are not all. */
  readonly mechanisms?: readonly string[];
  readonly problems: readonly string[];
}

/** Makes an account unless it is there: then its password stays as it is. */
export async function importAccount(
  node: Node,
  account: Jid,
  password: string | undefined,
  texts: readonly string[],
): Promise<ImportedAccount> {
  if (await node.accounts.exists(account)) return { outcome: 'exists', problems: [] };
  if (password !== undefined) {
    const outcome = await node.accounts.create(account, password);
    if (outcome !== 'invalid') return { outcome: made(outcome), problems: [] };
    const locked = made(await node.accounts.adopt(account));
    return { outcome: locked, locked: true, problems: ['the password cannot be used (RFC 8265)'] };
  }
  const { credentials, mechanisms, problems } = readCredentials(texts.map(text => parseElement(toWire(text), '')));
  const outcome = made(await node.accounts.adopt(account, credentials));
  return {
    outcome,
    problems,
    ...(!credentials && { locked: true }),
    ...(credentials && mechanisms.length < MECHANISMS.length && { mechanisms }),
  };
}

function made(outcome: 'created' | 'exists' | 'too-long'): 'created' | 'exists' {
  if (outcome === 'too-long')
    throw new Error('the address is too long: a name has at most 110 characters, a domain 80');
  return outcome;
}

/** Takes entries of a section in, some at a time, so that they are committed together. What cannot be taken in is told of, and the rest goes on. */
export async function imported(
  node: Node,
  account: Jid,
  section: string,
  entries: readonly ImportEntry[],
): Promise<ImportOutcome> {
  const target = portable(node, account, section);
  if (!target) {
    const text = `nothing here keeps ${section} for ${account.domain}`;
    return { imported: 0, known: 0, problems: entries.map(({ at }) => ({ at, text })) };
  }
  const xmlns = target.container?.xmlns ?? '';
  const problems: { at: string; text: string }[] = [];
  const counts = { imported: 0, known: 0 };
  for (let from = 0; from < entries.length; from += AT_ONCE) {
    const some = entries.slice(from, from + AT_ONCE);
    const outcomes = await Promise.all(
      some.map(async ({ xml, place }) => target.import(account, parseElement(toWire(xml), xmlns), place)),
    );
    for (const [n, outcome] of outcomes.entries()) {
      if (typeof outcome === 'string') counts[outcome]++;
      else problems.push({ at: some[n]!.at, text: outcome.refused });
    }
  }
  return { ...counts, problems };
}

function portable(node: Node, account: Jid, section: string): Portable | undefined {
  for (const item of node.collections.portable.items(
    owner => owner === 'core' || node.moduleEnabled(owner, account.domain),
  ))
    if (item.name === section) return item;
  return undefined;
}
