import type { Knex } from 'knex';
import type { Place } from '../place.ts';

/** A connection of a driver; what is behind it is the dialect's business. */
export type Connection = object;

export interface Answer {
  readonly rows: readonly object[];
  readonly changes: number;
  /** The id that a row inserted was given, or 0. */
  readonly id: number;
}

/** Many rows for one table, as data. */
export interface Rows {
  readonly into: string;
  readonly columns: readonly string[];
  readonly counted: boolean;
  readonly values: readonly (readonly unknown[])[];
}

/** What two databases do each in its own way. */
export interface Dialect {
  readonly name: Place['dialect'];
  /** How knex connects. `prepare` is called with each new connection. */
  config(place: Place, connectTimeout: number): Knex.Config;
  /** Sets a new connection up: time zone, isolation, time limits; and that it changes nothing, or that nobody else does. */
  begin(connection: Connection, role: 'reader' | 'writer', place: Place): Promise<void>;
  /** Runs a statement with `?` for its parameters. `kept`: it comes again, so it may be kept compiled. */
  query(connection: Connection, sql: string, parameters: readonly unknown[], kept: boolean): Promise<Answer>;
  /** Inserts all; their ids, in order, where the table counts them. */
  insert(connection: Connection, rows: Rows): Promise<readonly number[]>;
  /** Rows of one statement, at most. */
  rowsOf(columns: number): number;
  /** Lets a silent server go: calls it off when a statement has had no answer for that many ms. 0: never. */
  patience(connection: Connection, ms: number): void;
  /** A statement of knex's for a schema as this database is to have it. */
  schema(sql: string): string;
}

/**
 * Seconds after which a server lets a writer go that says nothing, and its lock with it: where the network was cut, nobody tells the server
 * that the node is gone, and the node's own lock would keep it out. A node that lives says something each five seconds (storage.ts).
 */
export const SILENCE = 30;

export function sqlOfRows({ into, columns }: Rows, count: number): string {
  const row = `(${columns.map(() => '?').join(', ')})`;
  return `INSERT INTO ${into} (${columns.join(', ')}) VALUES ${Array.from({ length: count }, () => row).join(', ')}`;
}

/** Undefined is no value of SQL. */
export function plain(parameters: readonly unknown[]): unknown[] {
  return parameters.map(value => (value === undefined ? null : value));
}
