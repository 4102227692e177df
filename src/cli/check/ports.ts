import type { LoadedConfig } from '../../node/config/index.ts';
import { listenProblem } from '../../node/listeners.ts';
import { portProblem } from '../../transport/probe.ts';
import type { Add } from './finding.ts';

/** Whether the listeners' ports are free. */
export async function checkPorts(config: LoadedConfig, running: boolean, add: Add): Promise<void> {
  if (running) {
    add('ok', 'ports', 'a node runs on this data folder and holds them');
    return;
  }
  for (const [name, { port, addresses }] of Object.entries(config.values.listeners)) {
    for (const address of addresses) {
      const error = await portProblem(address, port);
      if (error) add('problem', 'ports', listenProblem(error, { name, port }, address).replace(/\.$/, ''));
      else add('ok', 'ports', `${address} port ${port} is free`);
    }
  }
}
