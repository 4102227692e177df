import type { Device } from './device.ts';

const MAM = 'urn:xmpp:mam:2';
const RSM = 'http://jabber.org/protocol/rsm';
const DISCO = 'http://jabber.org/protocol/disco#info';
const PAGE = 200;

/**
 * The ids of the messages in a user's archive (XEP-0313), in its order, page by page; undefined when the server keeps none.
 * Rejects when it answers with an error.
 */
export async function readArchive(device: Device): Promise<string[] | undefined> {
  const info = await device.request(`${device.user}@localhost`, 'get', `<query xmlns='${DISCO}'/>`);
  const features = info?.element().getChild('query', DISCO)?.getChildren('feature') ?? [];
  if (!features.some(({ attrs }) => attrs.var === MAM)) return undefined;
  const ids: string[] = [];
  const unwatch = device.watch(stanza => {
    if (stanza.name !== 'message' || !stanza.has('result', MAM)) return;
    const message = stanza.element().getChild('result', MAM)!.getChild('forwarded')?.getChild('message');
    // what is archived besides: receipts and the like have no body
    if (message?.getChild('body')) ids.push(String(message.attrs.id));
  });
  try {
    for (let after = ''; ;) {
      const set = `<set xmlns='${RSM}'><max>${PAGE}</max>${after === '' ? '' : `<after>${after}</after>`}</set>`;
      const answer = await device.request(undefined, 'set', `<query xmlns='${MAM}'>${set}</query>`);
      const fin = answer?.element().getChild('fin', MAM);
      if (!fin)
        throw new Error(`${device.name} asked for its archive and got ${answer?.element().toString() ?? 'nothing'}`);
      const last = fin.getChild('set', RSM)?.getChildText('last');
      if (fin.attrs.complete === 'true' || !last) return ids;
      after = last;
    }
  } finally {
    unwatch();
  }
}
