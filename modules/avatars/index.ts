/*
 * User avatars (XEP-0084) and vCard avatars (XEP-0153) are the same ones (XEP-0398): who asks for a card gets the avatar of the node, as
 * far as they may read it; a photo that is set with a card is published; presence shows its hash.
 */
import { createHash } from 'node:crypto';
import { andThen, attached, defineModule, Loaded, type MaybePromise } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, StanzaError } from '../../src/protocol/index.ts';
import { type Element, escapeXml, parseElement, toWire, xml } from '../../src/xml/index.ts';
import { type PubsubApi, Pubsub } from '../pubsub/contract.ts';
import { type VcardService, Vcards } from '../vcard/contract.ts';
import { infoOf, photoOf, withPhoto } from './pictures.ts';

const CONVERSION = 'urn:xmpp:pep-vcard-conversion:0';
const METADATA = 'urn:xmpp:avatar:metadata';
const DATA = 'urn:xmpp:avatar:data';
const UPDATE = 'vcard-temp:x:update';
/** A card is read by everybody, and so is what comes of it. */
const CONFIG = { accessModel: 'open' } as const;
/** Accounts whose hash is kept in memory. */
const REMEMBERED = 20_000;

export default defineModule({
  name: 'avatars',
  doc: 'Makes one of the avatars in nodes and those in vCards.',
  xeps: [
    { number: 84, version: '1.1.4' },
    { number: 153, version: '1.1.1' },
    { number: 398, version: '1.0.1' },
  ],
  needs: ['pubsub'],
  after: ['vcard'],
  setup(mod) {
    const nodes = mod.use(Pubsub);
    mod.feature('account', CONVERSION);
    /** The hash of each account's avatar, '' for none. */
    const hashes = new Loaded<string>(REMEMBERED);

    // XEP-0398 5: put in by the server when somebody asks
    const view = (cards: VcardService) =>
      cards.addView(async (account, who, card) => {
        if (!mod.enabled(account.domain)) return card;
        const info = await currentInfo(nodes, account);
        // an account without avatar nodes has what is in its card
        if (info === undefined) return card;
        const data =
          info !== 'none' && (await mayRead(nodes, account, who)) ? await dataOf(nodes, account, info.id) : undefined;
        if (info === 'none' || !data) return card && withPhoto(card, undefined);
        return withPhoto(card ?? xml('vCard', { xmlns: NS.vcard }), { type: info.type, base64: data });
      });

    const listen = (cards: VcardService) =>
      cards.onSet(async (account, card, before) => {
        if (!mod.enabled(account.domain)) return;
        const photo = photoOf(card);
        const info = await currentInfo(nodes, account);
        const current = info === undefined || info === 'none' ? undefined : info.id;
        if (photo) {
          if (photo.id !== current) await publish(account, photo.id, photo.type, photo.bytes);
        } else if (current !== undefined && before && photoOf(before)?.id === current) {
          // 4.2.2 of XEP-0084: it is taken away where it came from
          const refused = await nodes.publish(
            account,
            METADATA,
            [{ id: current, payload: xml('metadata', { xmlns: METADATA }) }],
            CONFIG,
          );
          if (refused instanceof StanzaError)
            mod.log.debug({ condition: refused.condition }, 'an avatar was not taken away');
        }
        hashes.delete(account.bare);
      });

    const cards = attached(mod, Vcards, service => {
      const ends = [view(service), listen(service)];
      return () => ends.forEach(end => end());
    });

    /** XEP-0398 3.2: the picture first, then what tells of it. */
    async function publish(account: Jid, id: string, type: string, bytes: Buffer): Promise<void> {
      const data = xml('data', { xmlns: DATA }, bytes.toString('base64'));
      const info = xml('info', { bytes: bytes.length, id, type });
      const metadata = xml('metadata', { xmlns: METADATA }, info);
      for (const [node, payload] of [
        [DATA, data],
        [METADATA, metadata],
      ] as const) {
        const refused = await nodes.publish(account, node, [{ id, payload }], CONFIG);
        if (!(refused instanceof StanzaError)) continue;
        mod.log.debug({ condition: refused.condition }, 'the photo of a card was not published as an avatar');
        return;
      }
    }

    // ---- presence (XEP-0398 4) ------------------------------------------------------------------------------------------------

    mod.cleanup(
      nodes.onEvent(({ account, node }) => {
        if (node === METADATA || node === DATA) hashes.delete(account.bare);
      }),
    );
    mod.when('accountRemoved', account => hashes.delete(account.bare));

    function hashOf(account: Jid): MaybePromise<string> {
      return hashes.get(account.bare) ?? hashes.load(account.bare, lookUp(account));
    }

    async function lookUp(account: Jid): Promise<string> {
      const info = await currentInfo(nodes, account);
      if (info === 'none') return '';
      if (info) return (await dataOf(nodes, account, info.id)) === undefined ? '' : info.id;
      const card = await cards()?.get(account);
      return (card && photoOf(card)?.id) ?? '';
    }

    mod.on('received', 'work', { kind: 'presence' }, (packet, session) => {
      if (packet.type !== '' || session.anonymous) return undefined;
      const kid = packet.child('x', UPDATE);
      // who says that there is none, or which, is left alone
      if (kid !== undefined && packet.stanza.kidElement(kid).getChild('photo')) return undefined;
      const put = (hash: string): undefined => {
        if (hash === '') return undefined;
        if (kid !== undefined) packet.remove(kid);
        packet.append(`<x xmlns='${UPDATE}'><photo>${toWire(escapeXml(hash))}</photo></x>`);
        return undefined;
      };
      return andThen(hashOf(session.user.jid), put);
    });
  },
});

async function mayRead(nodes: PubsubApi, account: Jid, who: Jid): Promise<boolean> {
  return (await nodes.mayRead(account, METADATA, who)) && nodes.mayRead(account, DATA, who);
}

interface Info {
  readonly id: string;
  readonly type: string;
}

/** What an account says of its avatar: undefined without the node, 'none' where it is switched off or nothing that is here. */
async function currentInfo(nodes: PubsubApi, account: Jid): Promise<Info | 'none' | undefined> {
  const [item] = await nodes.items(account, METADATA);
  if (!item) return undefined;
  return (item.payload === '' ? undefined : infoOf(parseElement(item.payload, ''))) ?? 'none';
}

/** The picture, as its node has it; undefined where that is not what its id says. */
async function dataOf(nodes: PubsubApi, account: Jid, id: string): Promise<string | undefined> {
  const item = await nodes.item(account, DATA, id);
  const data: Element | undefined = item && item.payload !== '' ? parseElement(item.payload, '') : undefined;
  const base64 = data?.getText().replaceAll(/\s/g, '') ?? '';
  if (base64 === '') return undefined;
  const hash = createHash('sha1').update(Buffer.from(base64, 'base64')).digest('hex');
  return hash === id.toLowerCase() ? base64 : undefined;
}
