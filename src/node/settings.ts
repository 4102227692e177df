import type { BoshPolicy } from '../transport/bosh.ts';
import type { CertificateSource } from './certificates.ts';
import type { ClientPolicy } from './clients-service.ts';
import type { ListenerSettings } from './listeners.ts';
import type { SessionPolicy } from './session-hub.ts';
import type { StreamSettings } from './streams.ts';

/** A domain as the configuration describes it. */
export interface HostSettings {
  readonly domain: string;
  readonly certificate: CertificateSource;
  readonly anonymous: boolean;
  readonly admins: readonly string[];
  readonly seeOtherHost: string | undefined;
  /** Modules that are off here. */
  readonly without: ReadonlySet<string>;
}

/** The configuration in the form in which the node uses it. Replaced as a whole at a reload. */
export interface Settings {
  readonly hosts: ReadonlyMap<string, HostSettings>;
  readonly listeners: readonly ListenerSettings[];
  readonly admins: readonly string[];
  readonly streams: StreamSettings;
  readonly sessions: SessionPolicy;
  readonly bosh: BoshPolicy;
  readonly mechanisms: readonly string[];
  /** Whether SASL2 and, with it, tokens are offered. */
  readonly sasl2: boolean;
  readonly fast: boolean;
  readonly clients: ClientPolicy;
  /** PBKDF2 iterations of new credentials. */
  readonly iterations: number;
  readonly throttle:
    | {
        readonly perAccount: { attempts: number; window: number };
        readonly perAddress: { attempts: number; window: number };
      }
    | undefined;
  readonly connectionsPerAddress: number;
  readonly modules: readonly string[];
  readonly storage: {
    readonly folder: string;
    readonly synchronous: 'NORMAL' | 'FULL';
    /** Another database than SQLite's in the folder. */
    readonly url: string;
    readonly connections: number;
  };
  /** Seconds that an orderly stop may take. */
  readonly shutdownSeconds: number;
}
