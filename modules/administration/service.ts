import type { Command, Mod } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { adminCommand } from './command.ts';

const DELAYS = [0, 30, 60, 300, 900, 3600].map(seconds => ({
  value: String(seconds),
  label: seconds === 0 ? 'now' : `in ${seconds} seconds`,
}));

/** XEP-0133 4.31: the service itself. Starting it again is the business of what started it. */
export function serviceCommands(mod: Mod): Command[] {
  return [
    adminCommand({
      node: 'shutdown',
      name: 'Stop the service',
      fields: [
        { name: 'delay', type: 'list-single', label: 'When', values: ['30'], options: DELAYS, required: true },
        { name: 'announcement', type: 'text-multi', label: 'What those who are online are told' },
      ],
      run: values => {
        const delay = Number(values.text('delay'));
        if (!Number.isInteger(delay) || delay < 0 || delay > 86_400)
          return refuse('not-acceptable', 'The delay is a number of seconds.');
        mod.node.shutdown(values.lines('announcement').join('\n') || 'The service stops.', delay);
        return { note: `The service stops in ${delay} seconds.` };
      },
    }),
  ];
}
