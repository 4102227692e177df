import assert from 'node:assert/strict';
import { Scanner } from '../../src/xml/index.ts';
import { Collector, HEADER, LIMITS } from './kit.ts';

const MEGABYTE = 2 ** 20;

/** A scanner behind its header, and how much memory buffers take beyond what they took then. */
function open(limits = LIMITS): { scanner: Scanner; collector: Collector; grown: () => number } {
  const collector = new Collector();
  const scanner = new Scanner(collector, limits);
  scanner.push(Buffer.from(HEADER));
  const before = process.memoryUsage().arrayBuffers;
  return { scanner, collector, grown: () => process.memoryUsage().arrayBuffers - before };
}

/** Sends a piece over and over, in chunks of 64 KB, until the scanner gives up or so many bytes were sent. Returns how many. */
function flood(scanner: Scanner, collector: Collector, opening: string, piece: string, most: number): number {
  scanner.push(Buffer.from(opening));
  const chunk = Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length)));
  let sent = opening.length;
  while (sent < most && collector.condition === undefined) {
    scanner.push(chunk);
    sent += chunk.length;
  }
  return sent;
}

describe('Hostile input', () => {
  /** What is sent, over and over; the stream error; the bytes within which it has to come. */
  const floods: [name: string, opening: string, piece: string, condition: string, within: number][] = [
    ['a nesting of 20,000 elements', '', '<a>', 'policy-violation', 70_000],
    ['an attribute of 10 MB', `<message id='`, 'x', 'policy-violation', 400_000],
    ['an attribute of 10 MB above U+007F', `<message id='`, 'é', 'policy-violation', 400_000],
    ['a million attributes', '<message', ` a='b'`, 'not-well-formed', 70_000],
    ['a million children', '<message>', '<a/>', 'policy-violation', 70_000],
    ['an endless text', '<message><body>', 'x', 'policy-violation', 400_000],
    ['an endless CDATA section', '<message><![CDATA[', ']', 'policy-violation', 400_000],
    ['an endless entity', '<message>&', 'x', 'restricted-xml', 70_000],
    ['an endless character reference', '<message>&#', '0', 'policy-violation', 70_000],
    ['an endless name', '<', 'x', 'policy-violation', 400_000],
    ["an endless attribute's name", '<message ', 'x', 'policy-violation', 400_000],
    ['endless white space in a tag', '<message ', ' ', 'policy-violation', 400_000],
    ['endless white space in an end tag', '<message></message', ' ', 'policy-violation', 400_000],
    ['an endless end tag of the stream', '</stream:stream', ' ', 'policy-violation', 400_000],
    ['an endless comment', '<message><!--', 'x', 'restricted-xml', 70_000],
    ['an endless text between stanzas', '', 'x', 'bad-format', 70_000],
  ];
  for (const [name, opening, piece, condition, within] of floods) {
    it(`${name}: ${condition}, in bounded memory`, () => {
      const { scanner, collector, grown } = open();
      let most = 0;
      scanner.push(Buffer.from(opening));
      const chunk = Buffer.from(piece.repeat(16_384 / piece.length));
      let sent = 0;
      while (sent < 10 * MEGABYTE && collector.condition === undefined) {
        scanner.push(chunk);
        sent += chunk.length;
        most = Math.max(most, scanner.pendingCapacity);
      }
      assert.equal(collector.condition, condition);
      assert.ok(sent <= within, `${sent} bytes were taken`);
      assert.ok(most <= 4 * LIMITS.bytes, `${most} bytes were kept`);
      assert.equal(scanner.pendingCapacity, 0);
      assert.ok(grown() < 16 * MEGABYTE, `${grown()} bytes of buffers`);
    });
  }

  it('endless white space between stanzas costs nothing', () => {
    const { scanner, collector } = open();
    flood(scanner, collector, '', ' \n', 4 * MEGABYTE);
    assert.equal(collector.condition, undefined);
    assert.equal(scanner.pendingCapacity, 0);
  });

  it('distinct attributes: as many as the limit says, however long the tag', () => {
    const tag = (count: number): string => `<a ${Array.from({ length: count }, (_, k) => `a${k}=''`).join(' ')}/>`;
    const { scanner, collector } = open();
    scanner.push(Buffer.from(tag(LIMITS.attributes)));
    assert.equal(collector.stanzas.length, 1);
    scanner.push(Buffer.from(tag(300_000)));
    assert.equal(collector.condition, 'policy-violation');
  });

  it('elements and levels: as many as the limits say', () => {
    for (const [markup, stanzas] of [
      [`<a>${'<b/>'.repeat(LIMITS.elements - 1)}</a>`, 1],
      [`<a>${'<b/>'.repeat(LIMITS.elements)}</a>`, 0],
      ['<a>'.repeat(LIMITS.depth) + '</a>'.repeat(LIMITS.depth), 1],
      ['<a>'.repeat(LIMITS.depth) + '<a/>' + '</a>'.repeat(LIMITS.depth), 0],
    ] as const) {
      const { scanner, collector } = open();
      scanner.push(Buffer.from(markup));
      assert.equal(collector.stanzas.length, stanzas);
      assert.equal(collector.condition, stanzas ? undefined : 'policy-violation');
    }
  });

  it('where limits allow it, 20,000 levels are read, in prefixes and without, and made a tree', () => {
    const limits = { ...LIMITS, depth: 20_000, elements: 20_000, bytes: MEGABYTE };
    for (const tag of ['a', 'stream:a']) {
      const { scanner, collector } = open(limits);
      scanner.push(Buffer.from(`<${tag}>`.repeat(20_000) + `</${tag}>`.repeat(20_000)));
      assert.equal(collector.condition, undefined);
      let depth = 0;
      for (let at = collector.stanzas[0]?.element(); at; at = at.children[0] as typeof at | undefined) depth++;
      assert.equal(depth, 20_000);
    }
  });

  describe('dribbled, byte by byte', () => {
    /** Pushes each byte alone. Sees that none is looked at twice, and that what is kept grows by doubling. */
    function dribble(markup: string, scanner: Scanner, each: () => void = () => {}): number {
      let growths = 0;
      let capacity = 0;
      const bytes = Buffer.from(markup);
      for (let at = 0; at < bytes.length; at++) {
        scanner.push(bytes, at, at + 1);
        const { progress } = scanner as unknown as { progress: { pos: number } | undefined };
        // the machine goes on where it stood: behind all that it has
        if (scanner.midway && progress) assert.equal(progress.pos, scanner.pendingBytes);
        if (scanner.pendingCapacity > capacity) growths++;
        if (scanner.midway) capacity = scanner.pendingCapacity;
        each();
      }
      return growths;
    }

    for (const [name, markup] of Object.entries({
      'a long text': `<message><body>${'x'.repeat(262_000)}</body></message>`,
      'a long attribute': `<message id='${'x'.repeat(262_000)}'/>`,
      'many children': `<message>${`<a b='c'/>`.repeat(9_000)}</message>`,
      'many references': `<message>${'&#65;'.repeat(50_000)}</message>`,
      'a long CDATA section': `<message><![CDATA[${'x'.repeat(262_000)}]]></message>`,
    })) {
      it(`a stanza of 256 KB costs no byte twice: ${name}`, () => {
        const { scanner, collector } = open();
        const growths = dribble(markup, scanner);
        assert.equal(collector.stanzas.length, 1);
        // from 512 bytes to 512 KB
        assert.ok(growths <= 11, `${growths} times`);
      });
    }

    it('an end tag of the stream with 200,000 blanks costs no byte twice', () => {
      const { scanner, collector } = open();
      dribble(`</stream:stream${' '.repeat(200_000)}`, scanner, () => {
        const { closing } = scanner as unknown as { closing: number };
        if (scanner.pendingBytes > 1) assert.equal(closing, scanner.pendingBytes);
      });
      scanner.push(Buffer.from('>'));
      assert.equal(collector.found.at(-1)!.what, 'close');
    });
  });

  it('prefixes in scope cost what a tag declares: 5,000 of them around 9,000 declarations', () => {
    // before, each declaration copied all that were in scope: 45 million entries
    const limits = { ...LIMITS, attributes: 5_100, bytes: MEGABYTE };
    const { scanner, collector } = open(limits);
    const declared = Array.from({ length: 5_000 }, (_, k) => `xmlns:p${k}='u'`).join(' ');
    const sets = countMapSets(() => scanner.push(Buffer.from(`<a ${declared}>${`<b xmlns='c'/>`.repeat(9_000)}</a>`)));
    assert.equal(collector.stanzas[0]?.childCount, 9_000);
    assert.ok(sets < 60_000, `${sets} entries were written`);
  });
});

/** Entries written into Maps while a function runs, copies included. */
function countMapSets(run: () => void): number {
  const { set } = Map.prototype;
  let count = 0;
  Map.prototype.set = function counted(this: Map<unknown, unknown>, key: unknown, value: unknown) {
    count++;
    return set.call(this, key, value);
  };
  try {
    run();
  } finally {
    Map.prototype.set = set;
  }
  return count;
}
