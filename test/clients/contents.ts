/* What people send each other (R76): the children of a message for each kind, as clients of today write them. */
import { type Element, parseElement, toWire } from '../../src/xml/index.ts';

export interface Content {
  readonly kind: string;
  /** Without what depends on the exchange. */
  readonly xml: string;
}

const STORE = "<store xmlns='urn:xmpp:hints'/>";
const body = (text: string) => `<body>${text}</body>`;
const fallback = (forWhat: string, range = '<body/>') =>
  `<fallback xmlns='urn:xmpp:fallback:0' for='${forWhat}'>${range}</fallback>`;

/** A file that is shared (XEP-0447, XEP-0446), with an address for clients that know no more (XEP-0066). */
function file(name: string, type: string, more: string, { sticker = '', disposition = 'inline' } = {}): string {
  const url = `https://upload.example.org/5f3c/${encodeURIComponent(name)}`;
  return (
    body(url) +
    `<x xmlns='jabber:x:oob'><url>${url}</url></x>` +
    `<file-sharing xmlns='urn:xmpp:sfs:0' disposition='${disposition}'>` +
    `<file xmlns='urn:xmpp:file:metadata:0'><media-type>${type}</media-type><name>${name}</name><size>3032449</size>` +
    `<hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>2XarmwTlNxDAMkvymloX3S5+VbylNrJt/l5QyPa+YoU=</hash>${more}</file>` +
    `<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='${url}'/></sources></file-sharing>` +
    sticker +
    fallback('urn:xmpp:sfs:0')
  );
}

/** `id`s of messages that others speak of are those of the messages with that kind. */
export function contents(idOf: (kind: string) => string, self: string): Content[] {
  return [
    { kind: 'text', xml: body('夜だ、O blessed, blessed night! 🌙 &lt;3 &amp; "more"\nsecond line') },
    {
      kind: 'picture',
      xml: file(
        'Verona at night.jpg',
        'image/jpeg',
        "<width>1920</width><height>1080</height><desc>灯火</desc><thumbnail xmlns='urn:xmpp:thumbs:1' uri='data:image/webp;base64,UklGRiIAAABXRUJQVlA4' media-type='image/webp' width='128' height='72'/>",
      ),
    },
    { kind: 'file', xml: file('契約 (2).pdf', 'application/pdf', '', { disposition: 'attachment' }) },
    {
      kind: 'music',
      xml: file('madrigal.flac', 'audio/flac', '<length>204000</length>', { disposition: 'attachment' }),
    },
    {
      kind: 'video',
      xml: file('ball.mp4', 'video/mp4', '<width>1280</width><height>720</height><length>63063</length>'),
    },
    {
      kind: 'location',
      xml:
        body('geo:45.4419,10.9983;u=20') +
        "<geoloc xmlns='http://jabber.org/protocol/geoloc' xml:lang='en'><accuracy>20</accuracy><country>Italy</country><lat>45.4419</lat><locality>Verona</locality><lon>10.9983</lon></geoloc>",
    },
    { kind: 'voice message', xml: file('voice.ogg', 'audio/ogg; codecs=opus', '<length>4200</length>') },
    {
      kind: 'sticker',
      xml: file('marsey.png', 'image/png', '<desc>😘</desc><width>256</width><height>256</height>', {
        sticker: "<sticker xmlns='urn:xmpp:stickers:0' pack='EpRv28DHHzFrE4zd+xaNpVb4'/>",
      }),
    },
    {
      kind: 'reaction',
      xml: `<reactions xmlns='urn:xmpp:reactions:0' id='${idOf('text')}'><reaction>👋</reaction><reaction>🐢</reaction></reactions>${STORE}`,
    },
    {
      kind: 'reply',
      xml:
        body('&gt; O blessed night!\nA thousand times good night!') +
        `<reply xmlns='urn:xmpp:reply:0' to='${self}' id='${idOf('text')}'/>` +
        fallback('urn:xmpp:reply:0', "<body start='0' end='19'/>"),
    },
    {
      kind: 'correction',
      xml: `${body('corrected: the east')}<replace xmlns='urn:xmpp:message-correct:0' id='${idOf('text')}'/>`,
    },
    { kind: 'regretted', xml: body('I should not have said that') },
    {
      kind: 'retraction',
      xml:
        `<retract xmlns='urn:xmpp:message-retract:1' id='${idOf('regretted')}'/>` +
        body('This person attempted to retract a previous message.') +
        fallback('urn:xmpp:message-retract:1') +
        STORE,
    },
  ];
}

/** Content as it means the same however it is written: names with their namespaces, attributes in order. */
export type Plain =
  | string
  | { readonly name: string; readonly attrs: Readonly<Record<string, string>>; readonly children: readonly Plain[] };

/** What a message holds, without what servers and clients add. */
export function plainContent(message: string): Plain[] {
  const root = parseElement(toWire(message), 'jabber:client');
  return childrenOf(root, 'jabber:client').filter(
    child => typeof child === 'string' || !ADDED.some(namespace => child.name.startsWith(`{${namespace}}`)),
  );
}

/** Ids of messages (XEP-0359), receipts and markers that a client asks for of its own accord. */
const ADDED = [
  'urn:xmpp:sid:0',
  'urn:xmpp:receipts',
  'urn:xmpp:chat-markers:0',
  'http://jabber.org/protocol/chatstates',
];

function childrenOf(element: Element, around: string): Plain[] {
  return element.children.map((child): Plain => {
    if (typeof child === 'string') return child;
    const { xmlns, ...attrs } = child.attrs as Record<string, string>;
    const namespace = xmlns ?? around;
    const own = Object.entries(attrs).filter(([name]) => !name.startsWith('xmlns:'));
    return {
      name: `{${namespace}}${child.name}`,
      attrs: Object.fromEntries(own.toSorted(([a], [b]) => (a < b ? -1 : 1))),
      children: childrenOf(child, namespace),
    };
  });
}
