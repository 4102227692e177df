/* Hats (XEP-0317): what people are in a room beside their role and affiliation, as its admins see fit. */
import { createHash } from 'node:crypto';
import type { Jid } from '../../src/jid/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import { HATS } from './namespaces.ts';

export interface Hat {
  readonly uri: string;
  /** For people. */
  readonly title: string;
  /** An angle of XEP-0392, in degrees. */
  readonly hue?: string;
}

/** Somebody who has hats. */
export interface Wearer {
  /** Bare. */
  readonly jid: Jid;
  readonly uris: readonly string[];
}

/** The hats of a room, and who has which. Immutable. */
export class Hats {
  static readonly NONE = new Hats([], []);
  readonly all: readonly Hat[];
  private readonly byUri: ReadonlyMap<string, Hat>;
  private readonly byJid: ReadonlyMap<string, Wearer>;

  constructor(all: readonly Hat[], wearers: readonly Wearer[]) {
    this.all = all;
    this.byUri = new Map(all.map(hat => [hat.uri, hat]));
    this.byJid = new Map(wearers.map(wearer => [wearer.jid.bare, wearer]));
  }

  get(uri: string): Hat | undefined {
    return this.byUri.get(uri);
  }

  get wearers(): readonly Wearer[] {
    return [...this.byJid.values()];
  }

  get wearerCount(): number {
    return this.byJid.size;
  }

  /** The URIs of somebody's hats. */
  of(account: Jid): readonly string[] {
    return this.byJid.get(account.bare)?.uris ?? [];
  }

  /** With other hats, and other ones on those named. */
  with(all: readonly Hat[], changes: readonly Wearer[]): Hats {
    const byJid = new Map(this.byJid);
    for (const wearer of changes) {
      if (wearer.uris.length > 0) byJid.set(wearer.jid.bare, wearer);
      else byJid.delete(wearer.jid.bare);
    }
    return new Hats(all, [...byJid.values()]);
  }

  /** XEP-0317 4.1: what others see of somebody's, a wire string; '' for none. */
  shown(account: Jid): string {
    const hats = this.of(account).flatMap(uri => this.byUri.get(uri) ?? []);
    if (hats.length === 0) return '';
    const inner = hats.map(({ uri, title, hue }) => {
      const colour = hue === undefined ? '' : wireAttribute('hue', hue);
      return `<hat${wireAttribute('title', title)}${wireAttribute('uri', uri)}${colour}/>`;
    });
    return `<hats xmlns='${HATS}'>${inner.join('')}</hats>`;
  }

  /** XEP-0317 3: another one for other hats. */
  get hash(): string | undefined {
    if (this.all.length === 0) return undefined;
    const texts = this.all.map(({ uri, title, hue }) => [uri, title, hue]);
    return createHash('sha1').update(JSON.stringify(texts)).digest('hex');
  }
}
