import { createHash } from 'node:crypto';
import { NS } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';

/** The photo of a card, as an avatar: XEP-0153 3.1, XEP-0084 4.1. */
export interface Photo {
  /** The SHA-1 of its bytes. */
  readonly id: string;
  readonly type: string;
  readonly bytes: Buffer;
}

const TYPE = /^image\/[\w.+-]{1,60}$/;
const DEFAULT_TYPE = 'image/png';

/** Undefined where a card holds none that could be shown. */
export function photoOf(card: Element): Photo | undefined {
  const photo = card.getChild('PHOTO');
  const base64 = photo?.getChildText('BINVAL')?.replaceAll(/\s/g, '') ?? '';
  if (!photo || base64 === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  const type = photo.getChildText('TYPE')?.trim() ?? '';
  return {
    id: createHash('sha1').update(bytes).digest('hex'),
    type: TYPE.test(type) ? type : DEFAULT_TYPE,
    bytes,
  };
}

/** What metadata says of the picture that is in the node of data, and not elsewhere (XEP-0398 3.1). */
export function infoOf(metadata: Element): { id: string; type: string } | undefined {
  for (const { attrs } of metadata.getChildren('info')) {
    const { id, type, url } = attrs as Record<string, string | undefined>;
    if (id === undefined || !/^[0-9a-f]{40}$/i.test(id) || url !== undefined) continue;
    return { id, type: type !== undefined && TYPE.test(type) ? type : DEFAULT_TYPE };
  }
  return undefined;
}

/** A card with this photo in the place of its own. */
export function withPhoto(card: Element, photo: { type: string; base64: string } | undefined): Element {
  const rest = card.getChildElements().filter(child => child.name !== 'PHOTO');
  return xml(
    card.name,
    { ...card.attrs, xmlns: NS.vcard },
    ...rest,
    photo && xml('PHOTO', {}, xml('TYPE', {}, photo.type), xml('BINVAL', {}, photo.base64)),
  );
}
