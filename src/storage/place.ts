/** Where a database behind a network is, and as whom it is used. */
export interface Place {
  readonly dialect: 'mysql' | 'postgres';
  readonly host: string;
  readonly port: number;
  /** A socket of the system instead of host and port. */
  readonly socket: string | undefined;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** 'verify': encrypted, and the certificate must be good; 'on': encrypted, whoever answers. */
  readonly tls: 'off' | 'on' | 'verify';
}

const SCHEMES: Readonly<Record<string, Place['dialect']>> = {
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
};
const PORTS = { mysql: 3306, postgres: 5432 } as const;
const FORM = 'mysql://user:password@host/database or postgres://user:password@host/database';

/** Reads the address of a database; what is wrong with it, in words that do not repeat it, since it may hold a password. */
export function placeOf(text: string): Place | string {
  if (!URL.canParse(text)) return `the address of a database has the form ${FORM}`;
  const url = new URL(text);
  const dialect = SCHEMES[url.protocol];
  if (!dialect) return `'${url.protocol}' is no database: the address has the form ${FORM}`;
  let parts: string[];
  try {
    parts = [url.username, url.password, url.pathname.slice(1)].map(decodeURIComponent);
  } catch {
    return `a '%' in the address is written %25: ${FORM}`;
  }
  const [user, password, database] = parts as [string, string, string];
  if (user === '') return `the address names no user: ${FORM}`;
  if (database === '') return `the address names no database: ${FORM}`;
  const tls = url.searchParams.get('tls') ?? 'off';
  if (tls !== 'off' && tls !== 'on' && tls !== 'verify') return `'tls' in the address is one of off, on, verify`;
  for (const name of url.searchParams.keys()) {
    if (name !== 'tls' && name !== 'socket') return `'${name}' in the address is unknown: there is tls and socket`;
  }
  return {
    dialect,
    host: url.hostname === '' ? 'localhost' : url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? PORTS[dialect] : Number(url.port),
    socket: url.searchParams.get('socket') ?? undefined,
    user,
    password,
    database,
    tls,
  };
}

/** A place as it may be shown: without the password. */
export function shownPlace({ dialect, host, port, socket, user, database }: Place): string {
  return `${dialect}://${user}@${socket ?? `${host.includes(':') ? `[${host}]` : host}:${port}`}/${database}`;
}
