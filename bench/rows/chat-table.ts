import type { Outcome } from '../context.ts';
import type { ChatEvent } from '../load/events.ts';
import { median, round } from '../result.ts';

/** Server CPU a delivered message, microseconds: the median of rounds. */
export function cpu(rounds: readonly ChatEvent[]): number {
  return round(median(rounds.map(at => at.cpuPerMessage)));
}

/** What each program did, round after round; what of it was a database's, where there was one. */
export function chatTable(
  contestants: readonly { readonly name: string; readonly rounds: readonly ChatEvent[] }[],
  seconds: number,
): Outcome['tables'][number] {
  const database = contestants.some(({ rounds }) => rounds.some(at => at.databaseCpu > 0));
  return {
    caption: `${contestants[0]?.rounds.length ?? 0} rounds of ${seconds} s, in turn`,
    columns: [
      '',
      'CPU us a message',
      'rounds',
      ...(database ? ['of it database'] : []),
      'messages/s',
      'p50 ms',
      'p99 ms',
      'max ms',
      'errors',
      'lost',
      'load CPU %',
    ],
    lines: contestants.map(({ name, rounds }) => {
      const sum = (pick: (at: ChatEvent) => number): number => rounds.reduce((all, at) => all + pick(at), 0);
      const mid = (pick: (at: ChatEvent) => number): number => round(median(rounds.map(pick)));
      return [
        name,
        cpu(rounds),
        rounds.map(at => round(at.cpuPerMessage)).join(' / '),
        ...(database ? [mid(at => (at.databaseCpu * 1000) / at.delivered)] : []),
        mid(at => at.perSecond),
        mid(at => at.latency.p50),
        mid(at => at.latency.p99),
        round(Math.max(...rounds.map(at => at.latency.max))),
        sum(at => at.errors),
        sum(at => at.lost),
        Math.round((sum(at => at.loadCpu) / sum(at => at.seconds * 1000)) * 100),
      ];
    }),
  };
}
