const MINUTE = 60_000;
const DAY = 86_400_000;

export interface Bounds {
  readonly searchesPerMinute: number;
  readonly searchesPerDay: number;
  readonly peoplePerDay: number;
}

interface Spent {
  minute: number;
  inMinute: number;
  day: number;
  inDay: number;
  people: number;
}

/** What each account has searched and been shown. A minute and a day begin with the first search in them. */
export class Allowance {
  private readonly spent = new Map<string, Spent>();
  private readonly clock: () => number;

  constructor(clock: () => number = Date.now) {
    this.clock = clock;
  }

  get size(): number {
    return this.spent.size;
  }

  /** Counts a search; which bound keeps it back and is not counted, if one does. */
  search(account: string, bounds: Bounds): keyof Bounds | undefined {
    const now = this.clock();
    let spent = this.spent.get(account);
    if (!spent || now - spent.day >= DAY) {
      spent = { minute: now, inMinute: 0, day: now, inDay: 0, people: 0 };
      this.spent.set(account, spent);
    }
    if (now - spent.minute >= MINUTE) [spent.minute, spent.inMinute] = [now, 0];
    if (spent.inDay >= bounds.searchesPerDay) return 'searchesPerDay';
    if (spent.people >= bounds.peoplePerDay) return 'peoplePerDay';
    if (spent.inMinute >= bounds.searchesPerMinute) return 'searchesPerMinute';
    spent.inMinute++;
    spent.inDay++;
    return undefined;
  }

  /** How many more people an account may be shown. */
  left(account: string, { peoplePerDay }: Bounds): number {
    return Math.max(0, peoplePerDay - (this.spent.get(account)?.people ?? 0));
  }

  /** Counts people that an account is shown. */
  show(account: string, people: number): void {
    const spent = this.spent.get(account);
    if (spent) spent.people += people;
  }

  /** Drops accounts whose day is over. */
  forget(): void {
    const now = this.clock();
    for (const [account, { day }] of this.spent) if (now - day >= DAY) this.spent.delete(account);
  }
}
