import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import { NS, StanzaError } from '../../src/protocol/index.ts';
import { type Element, serialize, xml } from '../../src/xml/index.ts';
import { type NewConfig, readConfigForm, roomInfo, writeConfigForm } from './config-form.ts';
import { changeCodes, configFeatures, configFromJson, DEFAULTS, type RoomConfig } from './config.ts';

const LIMITS = { occupants: 100, history: 50 };
const owner = parseJid('crone1@shakespeare.lit')!;

function submit(fields: Record<string, string | readonly string[]>): Element {
  return xml(
    'x',
    { xmlns: NS.dataForms, type: 'submit' },
    ...Object.entries(fields).map(([name, value]) =>
      xml('field', { var: name }, ...[value].flat().map(text => xml('value', {}, text))),
    ),
  );
}

/** What fields of that name are in a form, or in a result, with their values. */
function values(form: Element): Map<string, string[]> {
  return new Map(
    form
      .getChildren('field')
      .map(field => [field.attrs.var!, field.getChildren('value').map(value => value.getText())]),
  );
}

describe('the configuration of a room', () => {
  it('XEP-0045 10.2: a form with what holds, which submitted as it is changes nothing', () => {
    const config: RoomConfig = {
      ...DEFAULTS,
      name: 'A Dark Cave',
      mostOccupants: 10,
      presenceBroadcast: ['moderator'],
    };
    const form = writeConfigForm(config, { owners: [owner], admins: [] }, LIMITS, 'Configuration', 'Fill it in.');
    const fields = values(form);
    assert.deepEqual(fields.get('FORM_TYPE'), ['http://jabber.org/protocol/muc#roomconfig']);
    assert.deepEqual(fields.get('muc#roomconfig_roomname'), ['A Dark Cave']);
    assert.deepEqual(fields.get('muc#roomconfig_roomowners'), ['crone1@shakespeare.lit']);
    assert.deepEqual(fields.get('muc#roomconfig_roomadmins'), []);
    assert.deepEqual(fields.get('muc#roomconfig_presencebroadcast'), ['moderator']);
    form.attrs.type = 'submit';
    const read = readConfigForm(form, DEFAULTS, LIMITS) as NewConfig;
    assert.deepEqual(read.config, config);
    assert.deepEqual([read.admins, read.owners?.map(jid => jid.bare)], [[], ['crone1@shakespeare.lit']]);
  });

  it('where the operator allows less than before, the form says so, and can be submitted as it is', () => {
    const config: RoomConfig = { ...DEFAULTS, mostOccupants: 500, maxHistory: 80 };
    const form = writeConfigForm(config, { owners: [], admins: [] }, LIMITS, '', '');
    form.attrs.type = 'submit';
    const read = readConfigForm(form, config, LIMITS) as NewConfig;
    assert.deepEqual([read.config.mostOccupants, read.config.maxHistory], [100, 50]);
  });

  it('XEP-0500 5.1: slow mode is a number that clients can check', () => {
    const form = writeConfigForm(DEFAULTS, { owners: [], admins: [] }, LIMITS, '', '');
    const field = form.getChildren('field').find(({ attrs }) => attrs.var === 'muc#roomconfig_slow_mode_duration')!;
    assert.equal(field.attrs.type, 'text-single');
    const validate = field.getChild('validate', 'http://jabber.org/protocol/xdata-validate')!;
    assert.equal(validate.attrs.datatype, 'xs:integer');
    assert.equal(validate.getChild('range')!.attrs.min, '0');
  });

  it('XEP-0045 10.1.3: what is not submitted stays, what the example submits is taken', () => {
    const { config, admins, owners } = readConfigForm(
      submit({
        FORM_TYPE: 'http://jabber.org/protocol/muc#roomconfig',
        'muc#roomconfig_roomname': 'A Dark Cave',
        'muc#roomconfig_changesubject': '1',
        'muc#roomconfig_maxusers': '10',
        'muc#roomconfig_passwordprotectedroom': '1',
        'muc#roomconfig_roomsecret': 'cauldronburn',
        'muc#maxhistoryfetch': '50',
        'muc#roomconfig_roomadmins': ['wiccarocks@shakespeare.lit', 'hecate@shakespeare.lit/broom'],
      }),
      { ...DEFAULTS, description: 'The place for all good witches!' },
      LIMITS,
    ) as NewConfig;
    assert.deepEqual(config, {
      ...DEFAULTS,
      name: 'A Dark Cave',
      description: 'The place for all good witches!',
      changeSubject: true,
      mostOccupants: 10,
      passwordProtected: true,
      password: 'cauldronburn',
      maxHistory: 50,
    });
    assert.deepEqual(admins?.map(String), ['wiccarocks@shakespeare.lit', 'hecate@shakespeare.lit']);
    assert.equal(owners, undefined);
  });

  it('XEP-0045 10.1.3: a blank password, or more than the service allows, is not acceptable', () => {
    const why = (fields: Record<string, string>): string => {
      const error = readConfigForm(submit(fields), DEFAULTS, LIMITS);
      assert.ok(error instanceof StanzaError);
      assert.equal(error.condition, 'not-acceptable');
      return error.text!;
    };
    assert.match(why({ 'muc#roomconfig_passwordprotectedroom': '1' }), /roomsecret is empty/);
    assert.match(why({ 'muc#roomconfig_maxusers': '101' }), /from 1 to 100 or 'none'/);
    assert.match(why({ 'muc#maxhistoryfetch': '51' }), /from 0 to 50/);
    assert.match(why({ 'muc#roomconfig_whois': 'none' }), /one of 'moderators', 'anyone'/);
  });

  it('XEP-0045 10.2.1: changes have their codes', () => {
    const code = (change: Partial<RoomConfig>, before: Partial<RoomConfig> = {}) =>
      changeCodes({ ...DEFAULTS, ...before }, { ...DEFAULTS, ...before, ...change });
    assert.deepEqual(code({}), []);
    assert.deepEqual(code({ presenceBroadcast: [...DEFAULTS.presenceBroadcast] }), []);
    assert.deepEqual(code({ logging: false }), [171]);
    assert.deepEqual(code({ logging: true }, { logging: false }), [170]);
    assert.deepEqual(code({ whois: 'anyone' }), [172]);
    assert.deepEqual(code({ whois: 'moderators' }, { whois: 'anyone' }), [173]);
    assert.deepEqual(code({ password: 'x', logging: false, whois: 'anyone' }), [104, 171, 172]);
  });

  it('XEP-0045 6.4: the features of a room are one of each pair', () => {
    assert.deepEqual(configFeatures(DEFAULTS), [
      'muc_public',
      'muc_temporary',
      'muc_open',
      'muc_unmoderated',
      'muc_unsecured',
      'muc_semianonymous',
    ]);
    const other: RoomConfig = {
      ...DEFAULTS,
      listed: false,
      persistent: true,
      membersOnly: true,
      moderated: true,
      passwordProtected: true,
      whois: 'anyone',
    };
    assert.deepEqual(configFeatures(other), [
      'muc_hidden',
      'muc_persistent',
      'muc_membersonly',
      'muc_moderated',
      'muc_passwordprotected',
      'muc_nonanonymous',
    ]);
  });

  it('XEP-0045 6.4: what everybody is told', () => {
    const config: RoomConfig = { ...DEFAULTS, description: 'For witches', slowMode: 20, password: 'secret' };
    const info = values(roomInfo(config, { subject: 'Spells', occupants: 3, avatarHashes: ['a31c', 'b9b2'] }));
    assert.deepEqual(info.get('FORM_TYPE'), ['http://jabber.org/protocol/muc#roominfo']);
    assert.deepEqual(info.get('muc#roominfo_description'), ['For witches']);
    assert.deepEqual(info.get('muc#roominfo_subject'), ['Spells']);
    assert.deepEqual(info.get('muc#roominfo_occupants'), ['3']);
    assert.deepEqual(info.get('muc#roomconfig_changesubject'), ['0']);
    assert.deepEqual(info.get('muc#roominfo_slow_mode_duration'), ['20']);
    assert.deepEqual(info.get('muc#roominfo_avatarhash'), ['a31c', 'b9b2']);
    const bare = roomInfo(DEFAULTS, { subject: '', occupants: 0, avatarHashes: [] });
    assert.ok(!serialize(bare).includes('avatarhash'));
    assert.ok(!values(bare).has('muc#roominfo_description'));
  });

  it('what was kept before there was a setting has its default', () => {
    const kept: Record<string, unknown> = JSON.parse(JSON.stringify({ ...DEFAULTS, name: 'Old', slowMode: undefined }));
    const config = configFromJson(JSON.stringify({ ...kept, gone: 1 }), { ...DEFAULTS, name: 'x', slowMode: 5 });
    assert.deepEqual(config, { ...DEFAULTS, name: 'Old', slowMode: 5 });
  });
});
