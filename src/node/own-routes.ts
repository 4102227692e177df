import type { HttpRoutes } from '../api/collections.ts';
import type { Metrics } from './metrics.ts';

/** What the node itself tells over HTTP, on listeners that only this machine reaches. */
export function ownRoutes(parts: { metrics: Metrics; problems: () => string[] }): HttpRoutes {
  return {
    on: 'private',
    register: app => {
      // alive: it answers
      app.get('/health', async () => ({ status: 'ok' }));
      // ready: it can serve
      app.get('/ready', async (_request, reply) => {
        const problems = parts.problems();
        if (problems.length > 0) reply.code(503);
        return { ready: problems.length === 0, problems };
      });
      app.get('/metrics', async (_request, reply) => {
        const { Counter, Gauge, Registry } = await import('@prometheus-io/client');
        const registry = new Registry();
        for (const { name, help, type, read } of parts.metrics.families) {
          const samples = read();
          const labelNames = [...new Set(samples.flatMap(sample => Object.keys(sample.labels)))];
          const metric =
            type === 'counter'
              ? new Counter({ name, help, labelNames, registers: [registry] })
              : new Gauge({ name, help, labelNames, registers: [registry] });
          for (const { labels, value } of samples) metric.inc(labels, value);
        }
        reply.type(registry.contentType);
        return registry.metrics();
      });
    },
  };
}
