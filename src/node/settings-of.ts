import type { LoadedConfig } from './config/index.ts';
import type { HostSettings, Settings } from './settings.ts';

/** The configuration as the node uses it. */
export function settingsOf(config: LoadedConfig): Settings {
  const { core, hosts, listeners, modules } = config.values;
  const { limits, login, sessions, bosh } = core;
  const shape = { depth: limits.depth, attributes: limits.attributes, elements: limits.elements };
  return {
    hosts: new Map(
      Object.entries(hosts).map(([domain, host]): [string, HostSettings] => [
        domain,
        {
          domain,
          certificate: { host: domain, ...(host.certificate && { certificate: host.certificate, key: host.key }) },
          anonymous: host.anonymous,
          admins: host.admins,
          seeOtherHost: host.seeOtherHost || undefined,
          without: new Set(host.without),
        },
      ]),
    ),
    listeners: Object.entries(listeners).map(([name, listener]) => ({ name, ...listener })),
    admins: core.admins,
    streams: {
      limits: {
        beforeLogin: { bytes: limits.stanzaBeforeLogin, ...shape },
        afterLogin: { bytes: limits.stanza, ...shape },
        unauthenticatedBytes: limits.unauthenticatedBytes,
        loginAttempts: login.attempts,
        bytesPerSecond: limits.bytesPerSecond,
        bytesBurst: limits.bytesBurst,
        stanzasPerSecond: limits.stanzasPerSecond,
        stanzasBurst: limits.stanzasBurst,
      },
      sm: { enabled: true, timeout: sessions.resumption, maxTimeout: sessions.resumptionMax },
      unauthenticatedSeconds: limits.unauthenticatedTime,
    },
    sessions: {
      conflict: sessions.conflict,
      maxPerUser: sessions.maxPerUser,
      outbox: { bytes: limits.outboxBytes, stanzas: limits.outboxStanzas },
      outboxSeconds: limits.outboxTime,
      inbox: limits.inbox,
      durable: sessions.durable,
      silence: sessions.silence,
      answer: sessions.answer,
    },
    bosh,
    mechanisms: login.mechanisms,
    sasl2: login.sasl2,
    fast: login.fast,
    clients: {
      tokenLifetime: login.tokenLifetime,
      tokenRenewal: login.tokenRenewal,
      kept: Math.max(login.clientsKept, login.tokenLifetime),
      perAccount: login.clientsPerAccount,
    },
    iterations: login.iterations,
    throttle: login.throttle
      ? {
          perAccount: { attempts: login.failuresPerAccount, window: login.window * 1000 },
          perAddress: { attempts: login.failuresPerAddress, window: login.window * 1000 },
        }
      : undefined,
    connectionsPerAddress: limits.connectionsPerAddress,
    modules: Object.keys(modules),
    storage: core.storage,
    shutdownSeconds: core.shutdown.time,
  };
}
