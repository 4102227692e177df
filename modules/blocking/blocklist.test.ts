import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import { Blocklist } from './blocklist.ts';

const CASES: [entry: string, jid: string, matches: boolean][] = [
  ['user@domain.example/resource', 'user@domain.example/resource', true],
  ['user@domain.example/resource', 'user@domain.example/other', false],
  ['user@domain.example/resource', 'user@domain.example', false],
  ['user@domain.example', 'user@domain.example', true],
  ['user@domain.example', 'user@domain.example/any', true],
  ['user@domain.example', 'other@domain.example', false],
  ['domain.example/resource', 'domain.example/resource', true],
  ['domain.example/resource', 'domain.example', false],
  ['domain.example/resource', 'user@domain.example/resource', false],
  ['domain.example', 'domain.example', true],
  ['domain.example', 'domain.example/resource', true],
  ['domain.example', 'user@domain.example', true],
  ['domain.example', 'user@domain.example/resource', true],
  ['domain.example', 'user@sub.domain.example', false],
];

describe('blocked addresses (XEP-0191 5)', () => {
  for (const [entry, jid, matches] of CASES) {
    it(`${entry} ${matches ? 'matches' : 'does not match'} ${jid}`, () => {
      assert.equal(Blocklist.of([parseJid(entry)!]).matches(parseJid(jid)!), matches);
    });
  }

  it('nobody is one object for everybody', () => {
    assert.equal(Blocklist.of([]), Blocklist.NONE);
    assert.equal(Blocklist.NONE.matches(parseJid('a@b')!), false);
  });
});
