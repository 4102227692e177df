import { hash } from 'node:crypto';
import { Lru } from '../../util/lru.ts';
import { networkOf } from '../../util/network.ts';
import type { LoginGate, LoginVerdict } from './types.ts';

export interface LoginLimit {
  /** Failures that may come at once; 1 or more. */
  attempts: number;
  /** ms in which a full count drains away, evenly: one attempt more every `window / attempts`. */
  window: number;
}

export interface LoginThrottleOptions {
  /** Of one account: refusals count for each network alone, the delay for all that try it. */
  perAccount: LoginLimit;
  /** Of one network, over all accounts. */
  perAddress: LoginLimit;
  /** Monotonic ms. */
  clock: () => number;
  /** The longest delay, ms; default 4,000. */
  maxDelay?: number;
  /** Entries that each of the four tables holds at most, the least used forgotten first; default 20,000. */
  capacity?: number;
}

interface Count {
  level: number;
  at: number;
}

const firstDelay = 250; // ms, doubled with each further failure
const spare = 6; // how far an account's count goes past its limit, so that it drains in bounded time
const pass: LoginVerdict = { refused: false, delay: 0 };
const refusal: LoginVerdict = { refused: true, delay: 0 };

/** Failures that drain away at an even pace. */
class Counts {
  readonly #table: Lru<string, Count>;
  readonly #limit: LoginLimit;
  readonly #most: number;
  readonly #clock: () => number;

  constructor(limit: LoginLimit, most: number, clock: () => number, capacity: number) {
    this.#table = new Lru(capacity);
    this.#limit = limit;
    this.#most = most;
    this.#clock = clock;
  }

  level(key: string): number {
    const count = this.#table.get(key);
    if (!count) return 0;
    return Math.max(0, count.level - ((this.#clock() - count.at) * this.#limit.attempts) / this.#limit.window);
  }

  /** Has it no room for one failure more? */
  full(key: string): boolean {
    return this.level(key) > this.#limit.attempts - 1 + 1e-9;
  }

  add(key: string, failures: number): void {
    const level = Math.min(this.#most, this.level(key) + failures);
    if (level > 0) this.#table.set(key, { level, at: this.#clock() });
    else this.#table.delete(key);
  }
}

/**
 * The login brake. A network is an IPv4 address or an IPv6 /64. Three counts of failures, each draining evenly:
 *
 * 1. Account and network together: when full, this network is refused this account. Nobody else notices, so the owner of an
 *    account under attack gets in from elsewhere.
 * 2. Network, over all accounts that have not yet logged in from it: when full, it is refused all of them. Those that have
 *    stay outside this count, so one guesser behind a shared address does not lock out those who live there.
 * 3. Account, over all networks: past its limit, networks from which it has never logged in are answered late: 250 ms,
 *    doubled by each further failure up to `maxDelay`. They are never refused for it, and known networks are not delayed.
 *
 * A refusal stands whether the password was right or wrong, and looks the same, so refused guesses teach nothing; they are not
 * counted. A login that succeeds makes the network known to the account, and takes back what this pair had added to the
 * counts: one's own typing errors, never others' guesses. So an attacker gains nothing by logging in to an own account between
 * guesses. Nothing is reserved for logins under way: any number of right ones may run at once, and of wrong ones at once
 * only so many are answered as one after the other.
 *
 * All is kept in memory and bounded; what is pushed out, or lost by a restart, counts as never seen. Names that do not exist
 * are treated like those that do.
 */
export class LoginThrottle {
  readonly #pairs: Counts;
  readonly #networks: Counts;
  readonly #accounts: Counts;
  /** Account and network pairs that have logged in. */
  readonly #known: Lru<string, true>;
  readonly #perAccount: LoginLimit;
  readonly #maxDelay: number;

  constructor(options: LoginThrottleOptions) {
    const { perAccount, perAddress, clock, maxDelay = 4000, capacity = 20_000 } = options;
    this.#perAccount = perAccount;
    this.#maxDelay = maxDelay;
    this.#pairs = new Counts(perAccount, perAccount.attempts, clock, capacity);
    this.#networks = new Counts(perAddress, perAddress.attempts, clock, capacity);
    this.#accounts = new Counts(perAccount, perAccount.attempts + spare, clock, capacity);
    this.#known = new Lru(capacity);
  }

  /** Would a login be refused now, right or wrong? Saves the work of testing its password. `account` is a bare JID. */
  refuses(address: string, account: string): boolean {
    return this.#refuses(networkOf(address), shortened(account));
  }

  /** A wrong password was given: whether to say so, and when. */
  failed(address: string, account: string): LoginVerdict {
    const network = networkOf(address);
    const name = shortened(account);
    if (this.#refuses(network, name)) return refusal;
    const verdict = this.#verdict(network, name);
    const key = pair(network, name);
    this.#pairs.add(key, 1);
    if (!this.#known.get(key)) this.#networks.add(network, 1);
    this.#accounts.add(name, 1);
    return verdict;
  }

  /** The right password was given: whether to let it in, and when. */
  succeeded(address: string, account: string): LoginVerdict {
    const network = networkOf(address);
    const name = shortened(account);
    if (this.#refuses(network, name)) return refusal;
    const verdict = this.#verdict(network, name);
    const key = pair(network, name);
    const own = this.#pairs.level(key);
    if (own > 0) {
      this.#pairs.add(key, -own);
      if (!this.#known.get(key)) this.#networks.add(network, -own);
      this.#accounts.add(name, -own);
    }
    this.#known.set(key, true);
    return verdict;
  }

  /** The brake for one stream: its peer's address and the host that it logs in to. */
  gate(address: string, host: string): LoginGate {
    return {
      refuses: local => this.refuses(address, `${local}@${host}`),
      failed: local => this.failed(address, `${local}@${host}`),
      succeeded: local => this.succeeded(address, `${local}@${host}`),
    };
  }

  #refuses(network: string, name: string): boolean {
    const key = pair(network, name);
    return this.#pairs.full(key) || (this.#networks.full(network) && !this.#known.get(key));
  }

  #verdict(network: string, name: string): LoginVerdict {
    if (!this.#accounts.full(name) || this.#known.get(pair(network, name))) return pass;
    const over = Math.max(0, this.#accounts.level(name) - this.#perAccount.attempts);
    const delay = Math.round(firstDelay * 2 ** over);
    return { refused: false, delay: Math.min(this.#maxDelay, delay) };
  }
}

function pair(network: string, name: string): string {
  return `${network} ${name}`;
}

/** A key of bounded length: a JID may have 2 KB, and strangers choose it. */
function shortened(account: string): string {
  return account.length <= 64 ? account : `#${hash('sha256', account, 'base64')}`;
}
