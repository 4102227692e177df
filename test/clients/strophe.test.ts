import { arrive } from './strophe.ts';
import { plays } from './plays.ts';

for (const way of ['WebSocket', 'WebSocket without TLS', 'BOSH', 'BOSH without TLS'] as const)
  plays('strophe.js', way, arrive);
