import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Section } from '../../node/portability.ts';
import { escapeAttribute } from '../../xml/index.ts';
import { type Ask, CliError, EXIT } from '../ask.ts';
import { Progress } from './progress.ts';
import { PIE } from './read.ts';

/** What of an installation is exported: one account, a host, or all. */
export interface Wanted {
  readonly host?: string;
  readonly account?: { readonly local: string; readonly domain: string };
}

export interface Exported {
  readonly accounts: number;
  readonly entries: number;
}

/** Writes accounts as XEP-0227 says: page by page, so that nothing of them is held but a page. */
export async function exportUsers(ask: Ask, wanted: Wanted, file: string | undefined): Promise<Exported> {
  const { sections, hosts } = (await ask('user.export-begin', {})) as { sections: Section[]; hosts: string[] };
  const only = wanted.account?.domain ?? wanted.host;
  if (only !== undefined && !hosts.includes(only))
    throw new CliError(`this node does not serve '${only}' (it serves ${hosts.join(', ')})`, EXIT.failed);
  const out = new Out(file);
  const progress = new Progress();
  const counts = { accounts: 0, entries: 0 };
  try {
    await out.write(`<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='${PIE}'>\n`);
    for (const host of only === undefined ? hosts : [only]) {
      await out.write(`<host jid='${escapeAttribute(host)}'>\n`);
      for await (const { name, total } of names(ask, host, wanted)) {
        const tell = (): void =>
          progress.show(() => `${host}: ${counts.accounts} of ${total} accounts, ${counts.entries} entries`);
        await exportUser(ask, out, sections, { name, host }, count => {
          counts.entries += count;
          tell();
        });
        counts.accounts++;
        tell();
      }
      await out.write('</host>\n');
    }
    await out.write('</server-data>\n');
    await out.finish();
  } catch (error) {
    await out.drop();
    throw error;
  } finally {
    progress.clear();
  }
  return counts;
}

async function* names(ask: Ask, host: string, { account }: Wanted): AsyncGenerator<{ name: string; total: number }> {
  if (account) {
    await ask('user.show', { jid: `${account.local}@${account.domain}` });
    yield { name: account.local, total: 1 };
    return;
  }
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = (await ask('user.export-accounts', { host, after })) as {
      names: string[];
      total: number;
      next?: string;
    };
    for (const name of page.names) yield { name, total: page.total };
    after = page.next;
  }
}

async function exportUser(
  ask: Ask,
  out: Out,
  sections: readonly Section[],
  { name, host }: { name: string; host: string },
  written: (entries: number) => void,
): Promise<void> {
  await out.write(`<user name='${escapeAttribute(name)}'>\n`);
  for (const { name: section, container } of sections) {
    let open = false;
    for (let after: string | undefined = ''; after !== undefined;) {
      const page = (await ask('user.export-entries', { jid: `${name}@${host}`, section, after })) as {
        entries: string[];
        next?: string;
      };
      if (container && !open && page.entries.length > 0) {
        open = true;
        await out.write(`<${container.name} xmlns='${escapeAttribute(container.xmlns)}'>\n`);
      }
      for (const entry of page.entries) await out.write(`${entry}\n`);
      written(page.entries.length);
      after = page.next;
    }
    if (open) await out.write(`</${container!.name}>\n`);
  }
  await out.write('</user>\n');
}

/** Standard output, or a file that is there when it is complete, and for its owner only (XEP-0227 6). */
class Out {
  private readonly file: string | undefined;
  private readonly stream: Writable;
  private failed: Error | undefined;

  constructor(file: string | undefined) {
    this.file = file;
    this.stream = file === undefined ? process.stdout : createWriteStream(`${file}.part`, { mode: 0o600 });
    this.stream.on('error', (error: Error) => (this.failed = error));
  }

  async write(text: string): Promise<void> {
    if (this.failed) throw new CliError(`it cannot be written: ${this.failed.message}`, EXIT.failed);
    const { stream } = this;
    if (stream.write(text)) return;
    await new Promise<void>(resolve => {
      const done = (): void => {
        stream.off('drain', done);
        stream.off('close', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
    });
  }

  async finish(): Promise<void> {
    if (this.file === undefined) return;
    this.stream.end();
    await finished(this.stream);
    await rename(`${this.file}.part`, this.file);
  }

  async drop(): Promise<void> {
    if (this.file === undefined) return;
    this.stream.destroy();
    // it may not have been opened yet, and would make the file afterwards
    if (!this.stream.closed) await new Promise(resolve => this.stream.once('close', resolve));
    await rm(`${this.file}.part`, { force: true });
  }
}
