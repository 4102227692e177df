import type { Session } from '../session/session.ts';

/** A number that only grows. On hot paths it is a field that is added to, nothing else. */
export class Count {
  value = 0;

  inc(by = 1): void {
    this.value += by;
  }
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  read(): Sample[];
}

/** All figures of a node, as families of samples; http/ writes them for Prometheus. Names begin with posthouse_. */
export class Metrics {
  readonly #families = new Map<string, Family>();
  readonly #counts = new Map<string, Map<string, { labels: Record<string, string>; count: Count }>>();

  /** The counter of that name and labels; the same one for the same question. `name` ends in _total. */
  counter(name: string, help: string, labels: Record<string, string> = {}): Count {
    let counts = this.#counts.get(name);
    if (!counts) {
      const all = new Map<string, { labels: Record<string, string>; count: Count }>();
      counts = all;
      this.#counts.set(name, all);
      const read = (): Sample[] => [...all.values()].map(({ labels: l, count }) => ({ labels: l, value: count.value }));
      this.#families.set(name, { name, help, type: 'counter', read });
    }
    const key = JSON.stringify(labels);
    let entry = counts.get(key);
    if (!entry) counts.set(key, (entry = { labels, count: new Count() }));
    return entry.count;
  }

  /** A figure that is read when asked for. The function returned takes it away. */
  gauge(name: string, help: string, read: () => number | Sample[], type: 'gauge' | 'counter' = 'gauge'): () => void {
    const samples = (): Sample[] => {
      const value = read();
      return typeof value === 'number' ? [{ labels: {}, value }] : value;
    };
    this.#families.set(name, { name, help, type, read: samples });
    return () => this.#families.delete(name);
  }

  /** Takes a family away, with all that it counted. */
  remove(name: string): void {
    this.#families.delete(name);
    this.#counts.delete(name);
  }

  get families(): Family[] {
    return [...this.#families.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** Sessions by transport and by whether they have a connection now. */
export function sessionSamples(sessions: Iterable<Session>): Sample[] {
  const counts = new Map<string, Sample & { value: number }>();
  for (const session of sessions) {
    const state = session.connected ? 'connected' : 'detached';
    const key = `${session.transport} ${state}`;
    const sample = counts.get(key) ?? { labels: { transport: session.transport, state }, value: 0 };
    counts.set(key, { ...sample, value: sample.value + 1 });
  }
  return [...counts.values()];
}

const LOOK = 500; // ms

export interface LoopLag {
  /** Seconds, the most since the last call. */
  worst(): number;
  stop(): void;
}

/** Watches how late a timer runs: how long others keep the event loop busy. */
export function loopLag(): LoopLag {
  let worst = 0;
  let expected = performance.now() + LOOK;
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - expected);
    expected = now + LOOK;
  }, LOOK).unref();
  return {
    worst: () => {
      const seconds = worst / 1000;
      worst = 0;
      return seconds;
    },
    stop: () => clearInterval(timer),
  };
}
