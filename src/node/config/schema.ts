import { defineOptions, option } from '../../api/options.ts';
import { bosh } from './schema/bosh.ts';
import { limits } from './schema/limits.ts';
import { login } from './schema/login.ts';
import { sessions } from './schema/sessions.ts';

export { host } from './schema/hosts.ts';
export { DEFAULT_LISTENERS, listener } from './schema/listeners.ts';
export { DEFAULT_MODULES } from './schema/modules.ts';

/** The configuration of a node, but for `hosts` and `modules`, whose keys are the operator's. */
export const core = defineOptions({
  admins: option.list(option.jid({ doc: 'An address.' }), {
    default: [],
    doc: 'Who administers all hosts.',
    reload: 'live',
  }),
  storage: option.object({
    folder: option.string({
      default: './data',
      doc: 'Folder of the database, the certificates and the control socket.',
    }),
    url: option.secret({
      doc: 'A MySQL or PostgreSQL database instead of SQLite in the folder: mysql://user:password@host/database or postgres://user:password@host/database. `storage: mysql://...` is short for it.',
    }),
    connections: option.integer({
      default: 8,
      minimum: 1,
      maximum: 200,
      doc: 'Connections to a MySQL or PostgreSQL database for reading; there is one more, for writing.',
    }),
    synchronous: option.choice(['NORMAL', 'FULL'], {
      default: 'NORMAL',
      doc: 'FULL waits for the disk at each commit; with NORMAL a power cut (not a crash) can cost the last commits.',
    }),
  }),
  limits,
  login,
  sessions,
  bosh,
  log: option.object({
    level: option.choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
      default: 'info',
      doc: 'The least that is logged.',
    }),
    format: option.choice(['auto', 'pretty', 'json'], {
      default: 'auto',
      doc: 'For people or for programs; auto: for people at a terminal.',
    }),
    file: option.string({ doc: 'A file instead of standard output.' }),
  }),
  shutdown: option.object({
    time: option.duration({
      default: 15,
      minimum: 1,
      maximum: 600,
      doc: 'How long an orderly stop may take.',
      reload: 'live',
    }),
  }),
});
