/**
 * Directories of a size that no run of a bench could fill: accounts, people and terms put straight into the database file of a server that is
 * not running, as modules/search would have written them.
 */
import Database from 'better-sqlite3';
import { FOLD, fold } from '../../modules/search/fold.ts';
import { HOSTS, partOf, PEOPLE, TERMS, UNSAID } from '../../modules/search/schema.ts';
import { termsOf } from '../../modules/search/terms.ts';
import { inserter } from './archive.ts';

/** Changed when the same number makes other people. */
export const FORMAT = 3;

/** Surnames by how frequent they are: the first of a list make up most of the people. */
const HAN = [...'王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈'];
const GIVEN = [
  ...'伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文斌辉鑫宇浩凯健俊帆雪梅琳晨欣怡佳豪子涵梓轩思雨嘉懿煜城梦琪忆柳之桃慕青问兰尔岚元香初夏沛菡傲珊曼文乐菱痴珊恨玉惜文香寒新柔语蓉海安夜蓉涵柏水桃醉蓝春儿语琴从彤傲晴语兰又菱碧彤元霜怜梦紫寒妙彤曼易南莲紫翠雨寒',
];
const KANA = ['さくら', 'ゆい', 'あおい', 'ひな', 'りん', 'そら', 'はると', 'ゆうと', 'りく', 'かいと', 'みお', 'めい'];
const NIHON = ['佐藤', '鈴木', '高橋', '田中', '伊藤', '渡辺', '山本', '中村', '小林', '加藤', '吉田', '山田'];
const KIM = [...'김이박최정강조윤장임한오서신권황안송류홍'];
const HANGUL = [...'민서준우지현도윤하은수영진호예원시연재성태희경동빈혜나승아'];
const FIRST =
  'james mary wei anna li jose maria ivan olga fatima ahmed yuki sofia lukas emma noah ali sara mei juan'.split(' ');
const ONSETS = ['b', 'br', 'c', 'ch', 'd', 'f', 'g', 'gr', 'h', 'k', 'l', 'm', 'n', 'p', 'r', 's', 'st', 't', 'v', 'w'];
const NUCLEI = ['a', 'e', 'i', 'o', 'u', 'ai', 'ou'];
const CODAS = ['', 'n', 'r', 's', 'l', 'nd', 'rt', 'm'];

/** The same for the same number: a fraction that looks like chance. */
function chance(i: number, salt: number): number {
  let x = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}

/** One of a list, the first ones more often. */
function oneOf<T>(list: readonly T[], i: number, salt: number): T {
  return list[Math.floor(chance(i, salt) ** 2 * list.length)]!;
}

function syllable(i: number, salt: number): string {
  return oneOf(ONSETS, i, salt) + oneOf(NUCLEI, i, salt + 1) + oneOf(CODAS, i, salt + 2);
}

export interface Called {
  readonly nick: string;
  readonly first: string;
  readonly last: string;
}

/** What a person is called: two of five in Chinese, two in Latin letters, the others in Japanese and Korean. */
export function calledAt(i: number): Called {
  const kind = chance(i, 0);
  if (kind < 0.4) {
    const [last, first] = [oneOf(HAN, i, 1), oneOf(GIVEN, i, 2) + (chance(i, 3) < 0.75 ? oneOf(GIVEN, i, 4) : '')];
    return { nick: last + first, first, last };
  }
  if (kind < 0.5) {
    const [last, first] = [oneOf(NIHON, i, 1), oneOf(KANA, i, 2)];
    return { nick: first, first, last };
  }
  if (kind < 0.6) {
    const [last, first] = [oneOf(KIM, i, 1), oneOf(HANGUL, i, 2) + oneOf(HANGUL, i, 3)];
    return { nick: last + first, first, last };
  }
  const last = syllable(i, 10) + syllable(i, 20) + (chance(i, 5) < 0.3 ? syllable(i, 30) : '');
  const first = oneOf(FIRST, i, 6);
  return { nick: `${first} ${last}`, first, last };
}

export function accountAt(i: number): string {
  return `u${10_000_000 + i}`;
}

/** Fills the database; `tell` hears of its progress, from 0 to 1. Not safe against a crash: such a file is thrown away. */
export function fillDirectory(file: string, host: string, people: number, tell: (share: number) => void): void {
  const db = new Database(file);
  try {
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    db.pragma('cache_size = -256000');
    db.prepare(
      `insert into ${HOSTS} (host, fold, gathered) values (?, ?, null) on conflict (host) do update set gathered = null`,
    ).run(host, FOLD);
    const { id } = db.prepare(`select id from ${HOSTS} where host = ?`).get(host) as { id: number };
    writeAccounts(db, host, people, share => tell(share * 0.2));
    writePeople(db, host, id, people, share => tell(0.2 + share * 0.6));
    // in the order of its key, it is there sooner than row by row
    db.exec(`insert into ${TERMS} select * from filled_terms order by 1, 2, 3, 4; drop table filled_terms`);
    tell(1);
    db.pragma('journal_mode = WAL');
  } finally {
    db.close();
  }
}

function writeAccounts(db: Database.Database, host: string, people: number, tell: (share: number) => void): void {
  const keys = ['sha1_stored', 'sha1_server', 'sha256_stored', 'sha256_server', 'sha512_stored', 'sha512_server'];
  const columns = ['host', 'local', 'status', 'created_at', 'salt', 'iterations', ...keys];
  const write = inserter(db, `insert into accounts (${columns.join(', ')})`, columns.length);
  // nobody logs in to them
  const none = Buffer.alloc(0);
  for (let i = 0; i < people; i++) {
    write.add(host, accountAt(i), 'active', 1, none, 1, ...keys.map(() => none));
    if (i % 100_000 === 0) tell(i / people);
  }
  write.end();
}

function writePeople(
  db: Database.Database,
  host: string,
  hostId: number,
  people: number,
  tell: (share: number) => void,
): void {
  db.exec('create table filled_terms (host integer, part integer, term text, person integer)');
  const columns = ['id', 'account', 'host', 'by_number', 'by_name', 'nick', 'first_name', 'last_name', 'names'];
  const rows = inserter(db, `insert into ${PEOPLE} (${columns.join(', ')})`, columns.length);
  const batch: unknown[][] = [];
  const terms = db.prepare('insert into filled_terms values (?, ?, ?, ?)');
  const flush = (): void => {
    for (const row of batch.splice(0)) terms.run(...row);
  };
  for (let i = 0; i < people; i++) {
    const { nick, first, last } = calledAt(i);
    const names = [...new Set([nick, `${last} ${first}`].map(fold))];
    rows.add(i + 1, `${accountAt(i)}@${host}`, hostId, UNSAID, UNSAID, nick, first, last, names.join('\n'));
    for (const { rank, text } of termsOf(names, [first, last])) batch.push([hostId, partOf(rank, UNSAID), text, i + 1]);
    if (batch.length > 5000) flush();
    if (i % 100_000 === 0) tell(i / people);
  }
  flush();
  rows.end();
}
