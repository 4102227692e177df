import { NS } from '../../src/protocol/index.ts';
import { escapeXml, toWire, wireAttribute } from '../../src/xml/index.ts';
import type { RosterItem } from './contract.ts';

/*
 * Rosters as wire strings (src/xml/escape.ts). They are written by hand, not as trees: somebody with ten thousand contacts asks for
 * all of them at each login.
 */

/** RFC 6121 2.1.2. */
export function itemWire({ jid, name, subscription, ask, approved, groups }: RosterItem): string {
  const named = name === undefined ? '' : wireAttribute('name', name);
  const flags = `${ask ? " ask='subscribe'" : ''}${approved ? " approved='true'" : ''}`;
  const start = `<item${wireAttribute('jid', jid)}${named} subscription='${subscription}'${flags}`;
  if (groups.length === 0) return `${start}/>`;
  let inside = '';
  for (const group of groups) inside += `<group>${toWire(escapeXml(group))}</group>`;
  return `${start}>${inside}</item>`;
}

/** The content of a result or a push (RFC 6121 2.1.4, 2.1.6). */
export function queryWire(items: string, version: number): string {
  return `<query xmlns='${NS.roster}' ver='${version}'>${items}</query>`;
}

/** The content of a roster push. */
export function pushWire(contact: string, item: RosterItem | undefined, version: number): string {
  return queryWire(item ? itemWire(item) : `<item${wireAttribute('jid', contact)} subscription='remove'/>`, version);
}
