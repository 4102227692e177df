import assert from 'node:assert/strict';
import { type Place, placeOf, shownPlace } from './place.ts';

const of = (text: string): Place => {
  const place = placeOf(text);
  assert.ok(typeof place !== 'string', String(place));
  return place;
};

describe('the address of a database', () => {
  it('names server, user, password and database, with the usual port', () => {
    assert.deepEqual(of('mysql://me:p%40ss%25@db.example.org/house'), {
      dialect: 'mysql',
      host: 'db.example.org',
      port: 3306,
      socket: undefined,
      user: 'me',
      password: 'p@ss%',
      database: 'house',
      tls: 'off',
    });
    assert.equal(of('postgresql://me@[::1]:5433/house').port, 5433);
    assert.equal(of('postgres://me@[::1]/house').host, '::1');
    assert.equal(of('mariadb://me@db/house').dialect, 'mysql');
    assert.equal(of('mysql://me@localhost/house?socket=/run/mysqld/mysqld.sock').socket, '/run/mysqld/mysqld.sock');
    assert.equal(of('postgres://me@db/house?tls=verify').tls, 'verify');
  });

  it('is shown without its password', () => {
    assert.equal(shownPlace(of('mysql://me:secret@db/house')), 'mysql://me@db:3306/house');
    assert.equal(shownPlace(of('postgres://me:secret@[::1]/house')), 'postgres://me@[::1]:5432/house');
  });

  for (const [text, problem] of [
    ['nonsense', /has the form mysql:\/\//],
    ['redis://me:secret@db/house', /'redis:' is no database/],
    ['mysql://db/house', /names no user/],
    ['mysql://me:secret@db/', /names no database/],
    ['mysql://me:100%secret@db/house', /%25/],
    ['mysql://me:secret@db/house?tls=perhaps', /one of off, on, verify/],
    ['mysql://me:secret@db/house?ssl=1', /'ssl' in the address is unknown/],
  ] as const) {
    it(`says what is wrong with ${text}, and repeats no password`, () => {
      const found = placeOf(text);
      assert.ok(typeof found === 'string');
      assert.match(found, problem);
      assert.ok(!found.includes('secret'));
    });
  }
});
