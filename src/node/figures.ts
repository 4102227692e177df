import type { LoopLag } from './metrics.ts';
import { loopLag, type Metrics, sessionSamples } from './metrics.ts';
import type { Session } from '../session/session.ts';

interface Parts {
  readonly metrics: Metrics;
  readonly startedAt: number;
  readonly directory: { sessions(): Iterable<Session> };
  readonly streams: { readonly size: number };
  readonly gate: { readonly refused: number };
  readonly router: { counts(): { labels: Record<string, string>; value: number }[] };
  readonly storage: {
    health(): { ok: boolean };
    counts(): { batches: number; rows: number; failures: number };
  };
}

/** The figures of a node that are read when somebody asks for them. */
export function figures({ metrics, startedAt, directory, streams, gate, router, storage }: Parts): LoopLag {
  const lag = loopLag();
  metrics.gauge('posthouse_sessions', 'Sessions by transport and state.', () => sessionSamples(directory.sessions()));
  metrics.gauge('posthouse_streams', 'Client streams, sessions or not.', () => streams.size);
  const refused = 'Connections refused because their address had too many.';
  metrics.gauge('posthouse_connections_refused_total', refused, () => gate.refused, 'counter');
  metrics.gauge('posthouse_outbox_bytes', 'Bytes that wait in outboxes.', () => {
    let bytes = 0;
    for (const session of directory.sessions()) bytes += session.outbox.bytes;
    return bytes;
  });
  metrics.gauge('posthouse_stanzas_total', 'Stanzas by kind and direction.', () => router.counts(), 'counter');
  metrics.gauge('posthouse_storage_ready', '1 while the storage works.', () => (storage.health().ok ? 1 : 0));
  const batches = 'Transactions that wrote what many had gathered.';
  metrics.gauge('posthouse_storage_batches_total', batches, () => storage.counts().batches, 'counter');
  metrics.gauge('posthouse_storage_rows_total', 'Rows written by them.', () => storage.counts().rows, 'counter');
  const failed = 'Writes that failed because of the disk or the database as a whole.';
  metrics.gauge('posthouse_storage_write_failures_total', failed, () => storage.counts().failures, 'counter');
  const late = 'How late timers run, the worst since the last look.';
  metrics.gauge('posthouse_event_loop_lag_seconds', late, () => lag.worst());
  metrics.gauge('posthouse_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  const cpu = 'Processor time of the process.';
  metrics.gauge('posthouse_cpu_seconds_total', cpu, () => cpuSeconds(), 'counter');
  metrics.gauge('posthouse_uptime_seconds', 'Seconds since the start.', () => (Date.now() - startedAt) / 1000);
  return lag;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
