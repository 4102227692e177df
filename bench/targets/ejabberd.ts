import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateIn } from './certificate.ts';
import { startServer } from './starting.ts';
import { freePort, type Target } from './target.ts';

const libraries = '/usr/lib/x86_64-linux-gnu';

function installed(): string | undefined {
  if (!existsSync(libraries) || !existsSync('/usr/bin/erl')) return undefined;
  return readdirSync(libraries).find(name => /^ejabberd-\d/.test(name));
}

/** ejabberd from Debian, started as `ejabberdctl foreground` does, but as this user and without Erlang's distribution. */
export const ejabberd: Target = {
  name: 'ejabberd',
  protocol: 'xmpp',
  version() {
    const folder = installed();
    return folder ? `ejabberd ${folder.split('-')[1]}` : undefined;
  },
  async start({ folder, guarded }) {
    const spool = join(folder, 'spool');
    mkdirSync(spool, { recursive: true });
    const { cert, key } = await certificateIn(folder);
    const both = join(folder, 'both.pem');
    writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
    const port = await freePort();
    const tlsPort = await freePort();
    const file = join(folder, 'ejabberd.yml');
    writeFileSync(file, configuration({ both, port, tlsPort, guarded: guarded ?? false }));
    const args = [
      '+K',
      'true',
      '+P',
      '250000',
      '-noinput',
      '-noshell',
      '-mnesia',
      'dir',
      `"${spool}"`,
      '-s',
      'ejabberd',
    ];
    const env = {
      ERL_LIBS: libraries,
      EJABBERD_CONFIG_PATH: file,
      EJABBERD_LOG_PATH: join(folder, 'ejabberd.log'),
      ERL_CRASH_DUMP: join(folder, 'erl_crash.dump'),
      ERL_MAX_PORTS: '32000',
      HOME: folder,
    };
    const started = await startServer({ command: 'erl', args, env, cwd: folder }, folder, [port, tlsPort]);
    return { target: ejabberd, pid: started.pid, port, tlsPort, stop: () => started.stop(), collect: () => {} };
  },
};

function configuration(settings: { both: string; port: number; tlsPort: number; guarded: boolean }): string {
  const { both, port, tlsPort, guarded } = settings;
  return `loglevel: warning
hosts: [localhost]
certfiles: ["${both}"]
disable_sasl_mechanisms: [digest-md5, X-OAUTH2]
auth_password_format: scram
registration_timeout: infinity
new_sql_schema: false
listen:
  - {port: ${port}, ip: "127.0.0.1", module: ejabberd_c2s, max_stanza_size: 262144, access: all, backlog: 4096}
  - {port: ${tlsPort}, ip: "127.0.0.1", module: ejabberd_c2s, max_stanza_size: 262144, access: all, tls: true, backlog: 4096}
shaper_rules:
  max_user_sessions: 10
  max_user_offline_messages: 20000
access_rules:
  announce: {deny: all}
modules:
  mod_adhoc: {}
  mod_blocking: {}
  mod_caps: {}
  mod_carboncopy: {}
  mod_client_state: {}
  mod_disco: {}
  mod_last: {}
  mod_offline: {access_max_user_messages: max_user_offline_messages}
  mod_ping: {}
  mod_privacy: {}
  mod_private: {}
  mod_pubsub: {plugins: [flat, pep]}
  mod_register: {access: all, ip_access: all, password_strength: 0}
  mod_roster: {versioning: true}
  mod_stream_mgmt: {resend_on_timeout: if_offline}
  mod_vcard: {search: false}
  mod_version: {}
${guarded ? '  mod_fail2ban: {}\n' : ''}`;
}
