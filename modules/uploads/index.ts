/*
 * HTTP File Upload (XEP-0363): slots are asked for over XMPP (slots.ts), files come and go over the HTTP listeners (receiving.ts,
 * serving.ts). A row for each slot (store.ts) becomes the file's when it is there; the bytes are in a folder or in S3 (files.ts).
 */
import { randomBytes } from 'node:crypto';
import { defineModule, type IqRequest, ServiceDomain } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { defineForm, field, refuse, StanzaError } from '../../src/protocol/index.ts';
import { PATH } from './answers.ts';
import { options } from './options.ts';
import { placeOf } from './place.ts';
import { Purging } from './purging.ts';
import { PURPOSE, PURPOSES } from './purposes.ts';
import { Receiving } from './receiving.ts';
import { routes } from './routes.ts';
import { LONGEST_OWNER } from './schema.ts';
import { Serving } from './serving.ts';
import { overQuota, readAsked, slotElement, UPLOAD } from './slots.ts';
import { type Slot, type Upload, uploadStore } from './store.ts';

const IDENTITY = { category: 'store', type: 'file', name: 'HTTP File Upload' } as const;
/** XEP-0363 3. */
const info = defineForm(UPLOAD, { size: field.text('max-file-size') });

const DAY = 86_400_000; // ms
const PURGE = 60_000; // ms
const SWEEP = 600_000; // ms

export default defineModule({
  name: 'uploads',
  doc: 'Files that clients upload and others download over HTTPS.',
  xeps: [{ number: 363, version: '1.2.0' }],
  needs: ['disco'],
  options,
  stores: { uploads: uploadStore },
  check: async (chosen, folder) => {
    const files = placeOf(() => chosen, folder);
    const problem = await files.problem();
    files.close();
    return problem === undefined ? [] : [problem];
  },

  setup(mod) {
    const { node } = mod;
    const { uploads: store } = mod.stores;
    const files = placeOf(() => mod.options(), node.folder);
    mod.cleanup(() => files.close());
    const [received, bytesIn, failures, served, bytesOut] = [
      mod.count('received', 'Files uploaded.'),
      mod.count('received_bytes', 'Bytes of files uploaded.'),
      mod.count('failures', 'Uploads that did not come to their end.'),
      mod.count('served', 'Downloads begun, whole files or parts of them.'),
      mod.count('served_bytes', 'Bytes of them.'),
    ];

    const service = new ServiceDomain(mod, {
      identity: IDENTITY,
      domain: host => mod.options(host).domain,
      features: host => [
        UPLOAD,
        ...PURPOSES.filter(purpose => mod.options(host)[purpose].enabled).map(purpose => `${PURPOSE}#${purpose}`),
      ],
      forms: host => [info.result({ size: String(mod.options(host).message.size) })],
    });

    /** What the addresses of a host's files begin with. */
    function baseOf(host: string): string | undefined {
      const { url } = mod.options(host);
      const { httpsPort: port } = node;
      const base = url === '' ? port && `https://${host}:${port}${PATH}` : url.replaceAll('{host}', host);
      // as an address has it: a domain in its ASCII form, no port 443
      return base ? new URL(base).href.replace(/\/$/, '') : undefined;
    }

    function mayUpload({ from }: IqRequest, host: string): boolean {
      if (from.bare.length > LONGEST_OWNER) return false;
      if (from.local !== '' && from.domain === host) return true;
      return mod.options(host).access.some(text => {
        const who = parseJid(text);
        return who !== undefined && (who.bare === from.bare || (who.local === '' && who.domain === from.domain));
      });
    }

    service.iq({ xmlns: UPLOAD, name: 'request', type: 'get', to: 'service' }, async request => {
      const host = service.hostOf(request.to.domain)!;
      const chosen = mod.options(host);
      if (!mayUpload(request, host)) return refuse('forbidden', `Only accounts of ${host} may upload files here.`);
      const now = Date.now();
      const asked = readAsked(request, chosen, now);
      if (asked instanceof StanzaError) return asked;
      const base = baseOf(host);
      if (base === undefined) {
        mod.log.error({ host }, "no file can be uploaded: it needs a listener of type https, or the option 'url'");
        return refuse('service-unavailable', 'No file can be uploaded here.');
      }
      if (!(await files.hasRoom(asked.size).catch(() => true)))
        return refuse('resource-constraint', 'There is no room for files at the moment.');
      const { purpose } = asked;
      const slot: Slot = {
        ...asked,
        name: randomBytes(16).toString('hex'),
        secret: randomBytes(16).toString('hex'),
        owner: request.from.bare,
        created: now,
        keep: chosen[purpose].keep,
        ends: Math.min(now + chosen.slot * 1000, asked.expires),
      };
      const refused = await store.reserve(slot, { purpose: chosen[purpose], daily: chosen.daily, day: DAY });
      return refused ? overQuota(refused, chosen, purpose) : slotElement(slot, base);
    });

    /** The options of the host that a file belongs to. */
    const optionsOf = ({ owner }: Upload) => {
      const { domain } = parseJid(owner)!;
      return mod.options(node.hosts.has(domain) ? domain : undefined);
    };
    const receiving = new Receiving({
      mod,
      store,
      files,
      options: optionsOf,
      done: bytes => {
        received.inc();
        bytesIn.inc(bytes);
      },
      failed: () => failures.inc(),
    });
    const serving = new Serving({
      mod,
      store,
      files,
      options: optionsOf,
      done: bytes => {
        served.inc();
        bytesOut.inc(bytes);
      },
    });
    mod.add('http', routes(receiving, serving));
    mod.add('gauges', {
      name: 'posthouse_uploads_coming',
      help: 'Files that are uploaded now.',
      read: () => receiving.size,
    });

    const purging = new Purging({ store, files, mod });
    mod.every(PURGE, () => purging.expire(DAY));
    mod.every(SWEEP, () => purging.sweep());
    mod.when('accountRemoved', async account => {
      await store.removeAll(account.bare);
      // nobody finds them any more; they go now, or with the next run
      purging.clear().catch((error: unknown) => mod.log.error({ err: error }, 'files could not be removed'));
    });
    service.open();
  },
});
