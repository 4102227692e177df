import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Element, parseElement, toWire } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const RESOURCES: Record<string, string> = { Romeo: 'orchard', Juliet: 'balcony', Benvolio: 'street' };
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const SID = 'urn:xmpp:sid:0';

interface Line {
  readonly person: string;
  readonly does: 'sends' | 'gets';
  readonly xml: string;
}

/** What stands in a section: who sends, who gets what, in this order. */
function linesOf(section: string): Line[] {
  return [...section.matchAll(/\*\*(\w+) (sends|gets)\*\*\n\n```xml\n([\s\S]*?)```/g)].map(([, person, does, xml]) => ({
    person: person!,
    does: does as Line['does'],
    xml: xml!.replace(/>\s+</g, '><').trim(),
  }));
}

/** Attributes and children, without what depends on the moment. */
function plain({ name, attrs, children }: Element): unknown {
  const { xmlns, ...rest } = attrs as Record<string, string | undefined>;
  for (const key of Object.keys(rest)) if (key === 'stamp' && TIME.test(rest[key]!)) rest[key] = 'a time';
  return {
    name,
    ...rest,
    ...(xmlns === undefined || xmlns === 'jabber:client' ? {} : { xmlns }),
    children: children
      .filter(child => typeof child === 'string' || !child.is('stanza-id', SID))
      .map(child => (typeof child === 'string' ? child : plain(child))),
  };
}

describe('docs/protocol.md, played', () => {
  const page = readFileSync('docs/protocol.md', 'utf8');
  const sections = page.split(/^(?=## )/m).slice(1);
  let server: TestNode;
  let people: Map<string, TestClient>;
  before(async () => {
    server = await TestNode.start({ yaml: 'hosts: { example.org: {} }\nmodules: { search: {} }' });
    for (const name of Object.keys(RESOURCES)) await server.addUser(name.toLowerCase(), 'example.org');
  });
  after(() => server.stop());
  beforeEach(() => {
    people = new Map();
  });
  afterEach(async () => {
    for (const client of people.values()) await client.end();
  });

  /** People come when they have something to do; who is told of by `gets` was there before it was sent, but for Juliet once. */
  async function person(name: string): Promise<TestClient> {
    const known = people.get(name);
    if (known) return known;
    const client = await server.login(`${name.toLowerCase()}@example.org/${RESOURCES[name]}`, { presence: true });
    people.set(name, client);
    return client;
  }

  it('has examples in each of its sections, and no others', () => {
    assert.equal(sections.length, 4);
    for (const section of sections) assert(linesOf(section).length > 2);
    assert.equal(sections.flatMap(linesOf).length, [...page.matchAll(/```xml/g)].length);
  });

  for (const section of sections) {
    const [title] = section.split('\n') as [string];
    it(title, async () => {
      for (const { person: name, does, xml } of linesOf(section)) {
        const client = await person(name);
        if (does === 'sends') {
          client.send(xml);
          continue;
        }
        const expected = parseElement(toWire(xml), 'jabber:client');
        const { name: kind, attrs } = expected;
        const got = await client.expect(
          stanza =>
            stanza.name === kind &&
            (attrs.id === undefined || stanza.attrs.id === attrs.id) &&
            stanza.attrs.from === attrs.from &&
            stanza.attrs.type === attrs.type,
          xml,
        );
        assert.deepEqual(plain(got), plain(expected));
      }
    });
  }

  it('names features that are there', async () => {
    const romeo = await person('Romeo');
    const disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    const featuresOf = async (to: string): Promise<(string | undefined)[]> =>
      (await romeo.iq('get', disco, to))
        .getChild('query')!
        .getChildren('feature')
        .map(feature => feature.attrs.var);
    for (const [, namespace] of page.matchAll(/^## .*`(urn:posthouse:[^`]+)`/gm)) {
      assert((await featuresOf('romeo@example.org')).includes(namespace), namespace);
    }
    assert((await featuresOf('example.org')).includes('urn:posthouse:stored:0'));
  });
});
