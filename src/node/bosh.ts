import type { Logger } from 'pino';
import { ClientStream } from '../stream/client-stream.ts';
import type { StreamLimits } from '../stream/environment.ts';
import { BoshGate, type BoshPolicy } from '../transport/bosh.ts';
import { AddressGate } from './listeners.ts';
import type { Metrics } from './metrics.ts';
import type { Streams } from './streams.ts';

/** BOSH sessions (XEP-0124) of a node: what they are granted, and the streams that speak through them. */
export function boshGate(parts: {
  log: Logger;
  metrics: Metrics;
  streams: Streams;
  policy: () => BoshPolicy;
  sessionsPerAddress: () => number;
}): BoshGate {
  const { log, metrics, streams } = parts;
  const addresses = new AddressGate(parts.sessionsPerAddress);
  const beforeLogin = ({ beforeLogin: element, unauthenticatedBytes }: StreamLimits) => ({
    // with the markup around what counts
    bytes: unauthenticatedBytes + element.bytes,
    element,
  });
  const gate = new BoshGate({
    policy: parts.policy,
    firstBounds: () => beforeLogin(streams.limits),
    serves: domain => streams.host(domain) !== undefined,
    admit: address => addresses.admit(address),
    left: address => addresses.left(address),
    accept: connection => {
      // without TLS it came from this machine, as a rule from a proxy
      const stream = new ClientStream(connection, streams, !connection.secured);
      const bounds = () =>
        stream.account
          ? { bytes: parts.policy().body, element: streams.limits.afterLogin }
          : beforeLogin(streams.limits);
      return { handler: stream, bounds };
    },
    refused: (address, condition, reason) => {
      const help = 'BOSH sessions that could not begin, by condition.';
      metrics.counter('posthouse_bosh_refusals_total', help, { condition }).inc();
      log.info({ address, transport: 'bosh', condition, reason }, 'stream refused');
    },
    bug: error => log.error({ err: error }, 'a BOSH request failed'),
  });
  metrics.gauge('posthouse_bosh_sessions', 'BOSH sessions, logged in or not.', () => gate.size);
  return gate;
}
