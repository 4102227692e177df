import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateIn } from './certificate.ts';
import { startServer } from './starting.ts';
import { freePort, type Target } from './target.ts';

/** Prosody from Debian, in the foreground. */
export const prosody: Target = {
  name: 'prosody',
  protocol: 'xmpp',
  version() {
    const about = spawnSync('prosodyctl', ['about'], { encoding: 'utf8' });
    const version = /^Prosody (\d\S*)/m.exec(about.stdout ?? '')?.[1];
    return version ? `Prosody ${version}` : undefined;
  },
  async start({ folder }) {
    mkdirSync(join(folder, 'data'), { recursive: true });
    const { cert, key } = await certificateIn(folder);
    const port = await freePort();
    const tlsPort = await freePort();
    const file = join(folder, 'prosody.cfg.lua');
    writeFileSync(file, configuration({ folder, cert, key, port, tlsPort }));
    const started = await startServer({ command: 'prosody', args: ['-F', '--config', file] }, folder, [port, tlsPort]);
    return { target: prosody, pid: started.pid, port, tlsPort, stop: () => started.stop(), collect: () => {} };
  },
};

interface Settings {
  readonly folder: string;
  readonly cert: string;
  readonly key: string;
  readonly port: number;
  readonly tlsPort: number;
}

function configuration({ folder, cert, key, port, tlsPort }: Settings): string {
  // Chosen in Prosody's favour: Debian's list without pep and blocklist, which cost it most (blocklist opens four files
  // a message for accounts that have no list), and with the collector that served it best here.
  const modules = `disco roster saslauth tls carbons private smacks vcard csi_simple ping register time uptime version offline
    lastactivity posix`;
  const list = modules
    .split(/\s+/)
    .map(name => `"${name}";`)
    .join(' ');
  return `run_as_root = true
gc = { mode = "generational" }
pidfile = "${folder}/prosody.pid"
data_path = "${folder}/data"
certificates = "${folder}"
modules_enabled = { ${list} }
modules_disabled = { "s2s" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
c2s_direct_tls_ports = { ${tlsPort} }
c2s_direct_tls_ssl = { certificate = "${cert}"; key = "${key}" }
s2s_ports = { }
http_ports = { }
https_ports = { }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
allow_registration = true
authentication = "internal_hashed"
storage = "internal"
log = { warn = "${folder}/prosody.log" }
VirtualHost "localhost"
  ssl = { certificate = "${cert}"; key = "${key}" }
`;
}
