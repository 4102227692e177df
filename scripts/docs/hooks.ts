import { Chain, Fact, inOrder } from '../../src/bus/index.ts';
import type { House } from './load.ts';
import { cell, code, page, table } from './markdown.ts';

/** docs/generated/hooks.md: every point, and who stands there. */
export function hooksPage({ node }: House): string {
  const points = Object.values(node.points);
  const chains = points.filter(point => point instanceof Chain) as Chain<unknown>[];
  const facts = points.filter(point => point instanceof Fact) as Fact<unknown, unknown>[];
  return page(
    '# Hooks',
    'Where modules step in: `mod.on(point, phase, where, fn)` for a chain, `mod.when(fact, fn)` for a fact, `mod.iq({...}, fn)` for a ' +
      'request to the server or an account. [modules.md](../modules.md) shows how; the points themselves are in `src/bus/points.ts`.',
    '## Chains: what a stanza passes',
    'In the order of its way. Handlers run phase by phase, in the order of the table; any but a tap may stop the stanza.',
    table(
      ['role', 'may'],
      [
        ['gate', 'refuse; when it crashes, the stanza is refused'],
        ['work', 'change, stop, or wait; when it crashes, it is skipped'],
        ['tap', 'look; nobody waits for it, and what it returns is ignored'],
      ],
    ),
    chains.flatMap(chain => [
      `### ${chain.name}`,
      cell(chain.doc),
      `Phases: ${chain.phases.map(([phase, role]) => (phase === role ? phase : `${phase} (a ${role})`)).join(', ')}.`,
      handlers(chain),
    ]),
    '## Facts: what has happened',
    'Every listener is told; none can stop it.',
    table(
      ['fact', 'when', 'listeners'],
      facts.map(fact => [
        code(fact.name),
        cell(fact.doc),
        [...new Set(fact.listeners.map(({ owner }) => owner))].map(code).join(', ') || '-',
      ]),
    ),
    '## IQ requests',
    'One handler each. "Owner": others who ask an account are told `service-unavailable`, as if the account were not there.',
    iqs(node.iqs.registrations),
  );
}

function handlers(chain: Chain<unknown>): string {
  const rows = chain.phases.flatMap(([phase]) =>
    inOrder(chain.registrations.filter(registration => registration.phase === phase)).map(
      ({ owner, where, before = [], after = [] }) => [
        phase,
        code(owner),
        list(where.kind),
        list(where.to),
        [...before.map(name => `before ${code(name)}`), ...after.map(name => `after ${code(name)}`)].join(', '),
      ],
    ),
  );
  return rows.length === 0
    ? 'Nobody of the house stands here.'
    : table(['phase', 'module', 'stanzas', 'to', 'order'], rows);
}

function list(names: string | readonly string[] | undefined): string {
  return names === undefined ? 'any' : typeof names === 'string' ? names : names.join(', ');
}

function iqs(registrations: House['node']['iqs']['registrations']): string {
  const rows = registrations.map(({ xmlns, name, type, to, from = 'owner', owner }) => [
    code(`${name ?? '*'} ${xmlns}`),
    type === 'both' ? 'get, set' : type,
    to === 'both' ? 'account, host' : to,
    to === 'host' ? '' : from === 'owner' ? 'owner' : 'anyone',
    code(owner),
  ]);
  const key = (row: readonly string[]): string => `${row[4]} ${row.join(' ')}`;
  rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return table(['payload', 'type', 'to', 'who may ask an account', 'module'], rows);
}
