import { stat } from 'node:fs/promises';
import { prepareDomain } from '../../jid/index.ts';
import type { ImportedAccount, ImportEntry, ImportOutcome, Section } from '../../node/portability.ts';
import { type Ask, CliError, EXIT } from '../ask.ts';
import { Progress } from './progress.ts';
import { FileFault, type Found, read } from './read.ts';

/** Entries, and their characters, that are handed to the node in one go. */
const BATCH = 200;
const BATCH_SIZE = 1024 * 1024;
/** Problems that are told one by one. */
const TOLD = 100;

export interface ImportCounts {
  accounts: number;
  existing: number;
  /** Accounts of which the file has keys for some mechanisms only. */
  partial: number;
  imported: number;
  known: number;
  problems: number;
}

/**
 * Takes in a file of XEP-0227. It is read three times: first to know that it is whole, then the accounts are made with their passwords,
 * then comes what they have. Done again, it changes nothing but what was not done the first time.
 */
export async function importUsers(ask: Ask, file: string): Promise<ImportCounts> {
  const { sections, hosts } = (await ask('user.import-begin', {})) as { sections: Section[]; hosts: string[] };
  const run = new Import(ask, sections, hosts, await size(file));
  try {
    await run.check(file);
    await run.accounts(file);
    await run.data(file);
    run.tellPartial();
  } catch (error) {
    if (error instanceof FileFault) throw new CliError(error.message, EXIT.failed);
    throw error;
  } finally {
    run.progress.clear();
  }
  return run.counts;
}

async function size(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

class Import {
  readonly counts: ImportCounts = { accounts: 0, existing: 0, partial: 0, imported: 0, known: 0, problems: 0 };
  readonly progress = new Progress();
  private readonly ask: Ask;
  private readonly sections: readonly Section[];
  private readonly hosts: readonly string[];
  private readonly bytes: number;
  /** Accounts that can log in by some mechanisms only, by these. */
  private readonly partial = new Map<string, number>();
  /** Accounts that could not be made. */
  private readonly refused = new Set<string>();
  private done = 0;

  constructor(ask: Ask, sections: readonly Section[], hosts: readonly string[], bytes: number) {
    this.ask = ask;
    this.sections = sections;
    this.hosts = hosts;
    this.bytes = bytes;
  }

  /** Reads all of it: a file that is broken changes nothing. */
  async check(file: string): Promise<void> {
    for await (const found of read(file, this.sections)) {
      this.show('reading', found);
      if (found.kind === 'unknown') this.problem(found.place, `${found.what} is not known here`);
      if (found.kind === 'entry' && found.xml === undefined) this.problem(found.place, 'it is too long');
      if (found.kind === 'host' && this.domain(found.jid) === undefined)
        this.problem(found.place, `this node does not serve '${found.jid}': its users are left out`);
      if (found.kind === 'user' && found.name === '') this.problem(found.place, 'a user without a name');
    }
  }

  /** Makes the accounts. */
  async accounts(file: string): Promise<void> {
    let user: { jid: string; place: string; password: string | undefined; credentials: string[] } | undefined;
    for await (const { found, jid } of this.users(file, 'accounts')) {
      if (found.kind === 'user') user = { jid, place: found.place, password: found.password, credentials: [] };
      else if (found.kind === 'entry' && found.section.name === 'credentials' && found.xml !== undefined)
        user?.credentials.push(found.xml);
      else if (found.kind === 'user-end' && user) {
        await this.account(user);
        user = undefined;
      }
    }
  }

  private async account(user: { jid: string; place: string; password: string | undefined; credentials: string[] }) {
    const { jid, password, credentials } = user;
    try {
      const { outcome, locked, mechanisms, problems } = (await this.ask('user.import-account', {
        jid,
        password,
        credentials,
      })) as ImportedAccount;
      if (outcome === 'created') this.counts.accounts++;
      else this.counts.existing++;
      if (locked)
        this.problem(
          user.place,
          `${jid} has no password: ${problems.join('; ')}; 'posthouse user passwd ${jid}' sets one`,
        );
      else for (const text of problems) this.problem(user.place, `${jid}: ${text}`);
      if (mechanisms) {
        this.counts.partial++;
        const names = mechanisms.join(', ');
        this.partial.set(names, (this.partial.get(names) ?? 0) + 1);
      }
    } catch (error) {
      this.refused.add(jid);
      this.problem(user.place, (error as Error).message);
    }
  }

  tellPartial(): void {
    for (const [mechanisms, count] of this.partial) {
      this.progress.note(
        `${count} accounts can log in by ${mechanisms} and PLAIN only, until they have done so by PLAIN or have a new password.`,
      );
    }
  }

  /** Takes in what the accounts have. */
  async data(file: string): Promise<void> {
    let batch: { jid: string; section: string; entries: ImportEntry[]; size: number } | undefined;
    let places = new Map<string, number>();
    const flush = async (): Promise<void> => {
      const full = batch;
      batch = undefined;
      if (full) await this.entries(full);
    };
    for await (const { found, jid } of this.users(file, 'data')) {
      if (found.kind === 'user' || found.kind === 'user-end') {
        await flush();
        places = new Map();
        continue;
      }
      if (found.kind !== 'entry' || found.xml === undefined || this.refused.has(jid)) continue;
      const section = found.section.name;
      const place = places.get(section) ?? 0;
      places.set(section, place + 1);
      if (section === 'credentials') continue;
      if (batch && (batch.section !== section || batch.entries.length >= BATCH || batch.size > BATCH_SIZE))
        await flush();
      batch ??= { jid, section, entries: [], size: 0 };
      batch.entries.push({ xml: found.xml, at: found.place, place });
      batch.size += found.xml.length;
    }
    await flush();
  }

  private async entries({ jid, section, entries }: { jid: string; section: string; entries: ImportEntry[] }) {
    try {
      const { imported, known, problems } = (await this.ask('user.import-entries', {
        jid,
        section,
        entries,
      })) as ImportOutcome;
      this.counts.imported += imported;
      this.counts.known += known;
      for (const { at, text } of problems) this.problem(at, `${jid}: ${text}`);
    } catch (error) {
      throw new CliError(
        `${entries[0]!.at}: ${jid}, ${section}: ${(error as Error).message}. What came before it was taken in; the import can be repeated.`,
        EXIT.failed,
      );
    }
  }

  /** What belongs to users of hosts that are served, with their addresses. */
  private async *users(file: string, step: string): AsyncGenerator<{ found: Found; jid: string }> {
    let host: string | undefined;
    let jid: string | undefined;
    for await (const found of read(file, this.sections)) {
      this.show(step, found);
      if (found.kind === 'host') host = this.domain(found.jid);
      else if (found.kind === 'user') jid = host && found.name ? `${found.name}@${host}` : undefined;
      if (jid) yield { found, jid };
      if (found.kind === 'user-end') jid = undefined;
    }
  }

  private domain(text: string): string | undefined {
    const domain = prepareDomain(text);
    return domain !== undefined && this.hosts.includes(domain) ? domain : undefined;
  }

  private show(step: string, found: Found): void {
    if (found.kind !== 'progress') return;
    this.done += found.bytes;
    const { counts } = this;
    const percent = this.bytes > 0 ? `${Math.min(100, Math.floor((this.done / (3 * this.bytes)) * 100))} %` : '';
    this.progress.show(
      () =>
        `${step}: ${percent}, ${counts.accounts + counts.existing} accounts, ${counts.imported + counts.known} entries`,
    );
  }

  private problem(place: string, text: string): void {
    this.counts.problems++;
    if (this.counts.problems <= TOLD) this.progress.note(`${place}: ${text}`);
    if (this.counts.problems === TOLD) this.progress.note('More such lines are not told one by one.');
  }
}
