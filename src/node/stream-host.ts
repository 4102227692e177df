import type { StreamHost } from '../stream/environment.ts';
import type { Node } from './node.ts';

/** A domain as its streams see it; undefined where it is not served here. */
export function streamHost(node: Node, domain: string): StreamHost | undefined {
  const host = node.settings.hosts.get(domain);
  if (!host) return undefined;
  return {
    domain,
    tls: true,
    mechanisms: node.settings.mechanisms,
    anonymous: host.anonymous,
    backend: node.accounts.backend(domain),
    sasl2: node.settings.sasl2,
    fast: node.settings.fast,
    seeOtherHost: host.seeOtherHost,
    enabled: module => node.moduleEnabled(module, domain),
  };
}
