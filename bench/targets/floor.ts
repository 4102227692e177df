import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { certificateIn } from './certificate.ts';
import { collectable, startServer } from './starting.ts';
import { freePort, type Target } from './target.ts';

const relay = join(import.meta.dirname, '../floor.ts');
const room = join(import.meta.dirname, '../room-floor.ts');

/** The bare room. */
export function roomFloor(): Target {
  return floor(false, room);
}

/** The bare relay, plain or behind TLS. */
export function floor(tls: boolean, program = relay): Target {
  const target: Target = {
    name: 'floor',
    protocol: 'floor',
    version: () => `bare Node ${process.version} relay`,
    async start({ folder, collectable: wanted }) {
      mkdirSync(folder, { recursive: true });
      const port = await freePort();
      const args = [program, String(port)];
      if (tls) {
        const { cert, key } = await certificateIn(folder);
        args.push('--tls', cert, key);
      }
      const started = await startServer({ command: process.execPath, args, env: collectable(wanted) }, folder, [port]);
      return {
        target,
        pid: started.pid,
        port,
        tlsPort: port,
        stop: () => started.stop(),
        collect: () => started.signal('SIGUSR2'),
      };
    },
  };
  return target;
}
