/* What somebody is called, from the card (XEP-0054) and the nickname (XEP-0172) that they publish. */
import { NS } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { fold } from './fold.ts';
import type { Names } from './store.ts';

/** UTF-16 units of a name; what is behind them is left out. */
const LONGEST = 200;
/** Names of one person. */
const MOST = 10;

export function namesOf(card: Element | undefined, nickname: string | undefined): Names {
  const n = card?.getChild('N', NS.vcard);
  const first = tidy(n?.getChildText('GIVEN'));
  const last = tidy(n?.getChildText('FAMILY'));
  const full = tidy(card?.getChildText('FN', NS.vcard));
  const published = tidy(nickname);
  // RFC 2426 3.1.3: several are parted by commas
  const nicks = (card?.getChildText('NICKNAME', NS.vcard) ?? '').split(',', MOST).map(tidy);
  const called = [published, ...nicks, full, `${last} ${first}`.trim(), `${first} ${last}`.trim()];
  const all = [...new Set(called.map(fold))].filter(name => name !== '').slice(0, MOST);
  return { nick: published || nicks.find(Boolean) || full, first, last, all };
}

/** On one line, and not too long. */
function tidy(text: string | null | undefined): string {
  const line = (text ?? '').replace(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line.length <= LONGEST) return line;
  // no half of a character
  return line
    .slice(0, LONGEST)
    .replace(/[\ud800-\udbff]$/, '')
    .trim();
}
