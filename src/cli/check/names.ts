import dns from 'node:dns/promises';
import type { LoadedConfig } from '../../node/config/index.ts';
import type { Add } from './finding.ts';

/** ms that a name server has to answer. */
const PATIENCE = 2_000;
const STANDARD_PORT = 5222;

/** Whether clients elsewhere find the hosts: RFC 6120 3.2, XEP-0368. */
export async function checkNames(config: LoadedConfig, add: Add): Promise<void> {
  const ports = Object.values(config.values.listeners);
  const port = ports.find(({ type }) => type === 'c2s')?.port ?? STANDARD_PORT;
  const hosts = Object.keys(config.values.hosts).filter(host => !isLocal(host));
  await Promise.all(hosts.map(host => checkName(host, port, add)));
}

/** Names that no name server has to know. */
function isLocal(host: string): boolean {
  return host === 'localhost' || /\.(?:localhost|local|test|invalid|internal)$/.test(host) || /^[\d.]+$|^\[/.test(host);
}

async function checkName(host: string, port: number, add: Add): Promise<void> {
  const about = `DNS of ${host}`;
  const resolver = new dns.Resolver({ timeout: PATIENCE, tries: 1 });
  const found = async (lookUp: Promise<readonly unknown[]>): Promise<boolean> => {
    try {
      return (await lookUp).length > 0;
    } catch {
      return false;
    }
  };
  const [srv, direct, a, aaaa] = await Promise.all([
    found(resolver.resolveSrv(`_xmpp-client._tcp.${host}`)),
    found(resolver.resolveSrv(`_xmpps-client._tcp.${host}`)),
    found(resolver.resolve4(host)),
    found(resolver.resolve6(host)),
  ]);
  const record = (machine: string): string => `_xmpp-client._tcp.${host}. SRV 0 5 ${port} ${machine}.`;
  if (srv || direct) add('ok', about, 'there are SRV records for clients');
  else if (!a && !aaaa)
    add('hint', about, `no address and no SRV record was found; clients elsewhere need one: ${record('your-machine')}`);
  else if (port === STANDARD_PORT) add('ok', about, `it has an address; clients find port ${STANDARD_PORT} there`);
  else
    add('hint', about, `it has an address, but clients look at port ${STANDARD_PORT}: add the record ${record(host)}`);
}
