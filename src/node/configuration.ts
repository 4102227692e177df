import type { StreamError } from '../protocol/index.ts';
import type { CertificateSource } from './certificates.ts';
import type { LoadedConfig } from './config/index.ts';
import type { Node } from './node.ts';
import type { Settings } from './settings.ts';
import { settingsOf } from './settings-of.ts';

/** What a reload changed: at once, and what differs from the start and needs another one. */
export interface Reloaded {
  readonly changed: readonly string[];
  readonly restart: readonly string[];
}

/** The configuration that a node runs with: shown, and taken up again. */
export class Configuration {
  current: LoadedConfig;
  private readonly node: Node;
  private readonly atStart: LoadedConfig;
  private readonly reread: () => Promise<LoadedConfig>;
  private reloading: Promise<unknown> = Promise.resolve();

  constructor(node: Node, parts: { config: LoadedConfig; reread: () => Promise<LoadedConfig> }) {
    this.node = node;
    this.current = parts.config;
    this.atStart = parts.config;
    this.reread = parts.reread;
  }

  /** All of it, secrets hidden, and what of it waits for the next start. */
  describe(): { text: string; values: unknown } {
    const { restart } = this.atStart.difference(this.current);
    const waits = restart.map(option => `# not in force before the next start: ${option}\n`).join('');
    return { text: waits + this.current.print(), values: this.current.masked() };
  }

  /** Takes up the configuration file as it is now: all of it, or nothing. Tells what changed, and what a restart needs. */
  reload(): Promise<Reloaded> {
    const done = this.reloading.then(() => this.reloadNow());
    this.reloading = done.catch(() => {});
    return done;
  }

  private async reloadNow(): Promise<Reloaded> {
    const { node } = this;
    const next = await this.reread();
    const settings = settingsOf(next);
    const useCertificates = await node.certificates.prepare(certificatesOf(settings));
    const before = node.settings;
    const old = this.current;
    this.current = next;
    node.settings = settings;
    try {
      await node.modules.follow(settings.modules);
    } catch (error) {
      this.current = old;
      node.settings = before;
      throw error;
    }
    useCertificates();
    if (JSON.stringify(before.throttle) !== JSON.stringify(settings.throttle)) node.setThrottle();
    node.streams.limitsChanged();
    for (const domain of before.hosts.keys()) if (!settings.hosts.has(domain)) this.closeHost(domain);
    const reloaded = { changed: old.difference(next).live, restart: this.atStart.difference(next).restart };
    node.log.info(reloaded, 'configuration reloaded');
    return reloaded;
  }

  private closeHost(domain: string): void {
    // RFC 6120 4.9.3.5
    const gone: StreamError = { condition: 'host-gone', text: `${domain} is not served here any more.` };
    for (const session of [...this.node.directory.sessions()]) if (session.jid.domain === domain) session.close(gone);
  }
}

/** The certificates that the settings name. */
export function certificatesOf(settings: Settings): CertificateSource[] {
  return [...settings.hosts.values()].map(host => host.certificate);
}
