import assert from 'node:assert/strict';
import {
  type Affiliation,
  AFFILIATIONS,
  initialRole,
  type OccupantRole,
  refusedAffiliation,
  refusedRole,
  type Role,
  roleAfter,
} from './roles.ts';

const moderated = { moderated: true };
const open = { moderated: false };

describe('roles and affiliations (XEP-0045 5)', () => {
  it('the role on entering (5.1.2)', () => {
    const roles = (config: { moderated: boolean }) =>
      (['none', 'member', 'admin', 'owner'] as const).map(affiliation => initialRole(config, affiliation));
    assert.deepEqual(roles(moderated), ['visitor', 'participant', 'moderator', 'moderator']);
    assert.deepEqual(roles(open), ['participant', 'participant', 'moderator', 'moderator']);
  });

  it('the role after an affiliation was given or taken (5.1.3)', () => {
    assert.equal(roleAfter(open, 'participant', 'none', 'admin'), 'moderator');
    assert.equal(roleAfter(moderated, 'visitor', 'none', 'member'), 'participant');
    assert.equal(roleAfter(moderated, 'participant', 'member', 'none'), 'visitor');
    assert.equal(roleAfter(open, 'moderator', 'admin', 'none'), 'participant');
    assert.equal(roleAfter(open, 'moderator', 'none', 'member'), 'moderator');
  });

  it('who may change which affiliation (5.2.2, 9.1, 10.5, 10.8)', () => {
    // rows: before, columns: after; '.' allowed
    const table = (actor: Affiliation) =>
      AFFILIATIONS.map(before =>
        AFFILIATIONS.map(after => refusedAffiliation(actor, false, before, after)?.condition[0] ?? '.').join(''),
      );
    assert.deepEqual(table('owner'), ['.....', '.....', '.....', '.....', '.....']);
    // not-allowed to ban the higher, forbidden to touch the lists of the owners
    assert.deepEqual(table('admin'), ['...ff', '...ff', '...ff', 'nff.f', 'nfff.']);
    for (const actor of ['member', 'none', 'outcast'] as const)
      assert.deepEqual(new Set(table(actor)), new Set(['fffff']));
    assert.equal(refusedAffiliation('owner', true, 'owner', 'outcast')?.condition, 'conflict');
    assert.equal(refusedAffiliation('admin', true, 'admin', 'outcast')?.condition, 'conflict');
    // not even what one is oneself
    const own = AFFILIATIONS.map(after => refusedAffiliation('admin', true, 'admin', after)?.condition[0] ?? '.');
    assert.equal(own.join(''), 'cff.f');
  });

  it('who may change which role (8.2 to 8.5, 9.6 to 9.8)', () => {
    const condition = (
      [affiliation, role]: [Affiliation, OccupantRole],
      target: [Affiliation, OccupantRole],
      after: Role,
      self = false,
    ) =>
      refusedRole({ affiliation, role }, { affiliation: target[0], role: target[1], self }, after)?.condition ?? 'done';
    const moderator = ['none', 'moderator'] as [Affiliation, OccupantRole];
    // 8.2
    assert.equal(condition(moderator, ['none', 'participant'], 'none'), 'done');
    assert.equal(condition(moderator, ['member', 'participant'], 'none'), 'not-allowed');
    assert.equal(condition(moderator, ['none', 'moderator'], 'none'), 'not-allowed');
    assert.equal(condition(['admin', 'moderator'], ['none', 'moderator'], 'none'), 'done');
    assert.equal(condition(['admin', 'moderator'], ['owner', 'moderator'], 'none'), 'not-allowed');
    assert.equal(condition(['owner', 'moderator'], ['owner', 'moderator'], 'none', true), 'conflict');
    assert.equal(condition(['member', 'participant'], ['none', 'visitor'], 'none'), 'forbidden');
    // 8.3, 8.4
    assert.equal(condition(moderator, ['none', 'visitor'], 'participant'), 'done');
    assert.equal(condition(['none', 'participant'], ['none', 'visitor'], 'participant'), 'forbidden');
    assert.equal(condition(moderator, ['none', 'participant'], 'visitor'), 'done');
    assert.equal(condition(moderator, ['member', 'participant'], 'visitor'), 'not-allowed');
    assert.equal(condition(['member', 'moderator'], ['member', 'participant'], 'visitor'), 'not-allowed');
    assert.equal(condition(['owner', 'moderator'], ['admin', 'moderator'], 'visitor'), 'not-allowed');
    assert.equal(condition(['owner', 'moderator'], ['member', 'participant'], 'visitor'), 'done');
    // 9.6, 9.7
    assert.equal(condition(['admin', 'moderator'], ['none', 'participant'], 'moderator'), 'done');
    assert.equal(condition(moderator, ['none', 'participant'], 'moderator'), 'forbidden');
    assert.equal(condition(['admin', 'moderator'], ['none', 'moderator'], 'participant'), 'done');
    assert.equal(condition(moderator, ['none', 'moderator'], 'participant'), 'forbidden');
    assert.equal(condition(['owner', 'moderator'], ['admin', 'moderator'], 'participant'), 'not-allowed');
  });
});
