import type { Command } from 'commander';
import { type Context, examples } from '../context.ts';
import { table } from '../print.ts';

interface Told {
  readonly id: string | null;
  readonly clientId: string | null;
  readonly from: string;
  readonly to: string;
  readonly state: string;
  readonly safeSince: string | null;
  readonly waits: boolean;
  readonly steps: readonly Record<string, unknown>[];
  readonly notKnown: readonly string[];
}

/** `posthouse message ...` */
export function messageCommands(program: Command, context: Context): void {
  const message = program
    .command('message')
    .description('what became of messages')
    .addHelpText('after', examples('posthouse message trace 01jd0c2ku5000g3v1k9m2'));
  message
    .command('trace')
    .description('tell what became of one message, step by step; never what it says')
    .argument('<id>', "its stanza id (XEP-0359), as archives and <stanza-id/> have it, or its client's own id")
    .option('--from <jid>', 'who sent it')
    .option('--to <jid>', 'for whom it is')
    .addHelpText(
      'after',
      `
The last messages are remembered with every step (modules.trace.messages); of earlier ones, archives and offline storage are asked.
There a client's own id is found with --from or --to only.
States: refused, sent, stored, delivered (XEP-0184: its recipient's client says so), displayed (XEP-0333).
` +
        examples(
          'posthouse message trace 01jd0c2ku5000g3v1k9m2',
          'posthouse message trace a8b1c0 --from romeo@localhost --to juliet@localhost',
          'posthouse message trace a8b1c0 --from romeo@localhost --json',
        ),
    )
    .action((id: string, { from, to }: { from?: string; to?: string }) =>
      context.run(async ask => {
        const told = (await ask('message.trace', { id, from, to })) as Told;
        context.say(story(told), told);
      }),
    );
}

function story({ id, clientId, from, to, state, safeSince, waits, steps, notKnown }: Told): string {
  const head = [
    `stanza id    ${id ?? '-'}`,
    `client's id  ${clientId ?? '-'}`,
    `from         ${from}`,
    `to           ${to}`,
    `state        ${state}${waits ? ', waits in offline storage' : ''}`,
    `safe since   ${safeSince ?? '-'}`,
  ];
  const rows = table(
    steps.map(step => ({ ...step, time: step.at ?? '(not known)', 'known from': step.knownFrom })),
    ['time', 'step', 'by', 'what', 'known from'],
    'Nothing is known of it.',
  );
  const rest = notKnown.length > 0 ? `\n\nNot known:\n${notKnown.map(line => `- ${line}`).join('\n')}` : '';
  return `${head.join('\n')}\n\n${rows}${rest}`;
}
