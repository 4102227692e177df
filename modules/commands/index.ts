/*
 * Ad-hoc commands (XEP-0050) of the host. Modules declare commands (src/api/command.ts); this one lists them to those who may
 * use them, and keeps an execution's state between its stages.
 */
import { randomBytes } from 'node:crypto';
import { type Command, defineModule, defineOptions, type IqRequest, type Mod, option } from '../../src/api/index.ts';
import { formFields, NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { type Execution, Executions } from './executions.ts';

const ACTIONS = ['execute', 'next', 'complete', 'prev', 'cancel'] as const;

export default defineModule({
  name: 'commands',
  doc: 'Lists ad-hoc commands of the host and runs them.',
  xeps: [{ number: 50, version: '1.3.0' }],
  needs: ['disco'],
  features: { host: [NS.commands] },
  options: defineOptions({
    timeout: option.duration({
      default: 600,
      minimum: 10,
      maximum: 86_400,
      doc: 'How long a command may wait for its next stage.',
      reload: 'live',
    }),
    executions: option.integer({
      default: 1000,
      minimum: 1,
      maximum: 100_000,
      doc: 'How many commands may be under way at once.',
      reload: 'live',
    }),
    perAccount: option.integer({
      default: 20,
      minimum: 1,
      maximum: 100_000,
      doc: 'How many of them one account may have.',
      reload: 'live',
    }),
  }),
  setup(mod) {
    const executions = new Executions();
    mod.iq({ xmlns: NS.commands, name: 'command', type: 'set', to: 'host' }, request =>
      execute(mod, mod.options(), executions, request),
    );
    mod.when('ended', session => executions.leave(session.jid));
    mod.add('discoNodes', {
      of: 'host',
      node: NS.commands,
      items: ({ from, to }) => {
        const list = [...available(mod, from.bare, to.domain)].map(({ node, name }) =>
          xml('item', { jid: to.domain, node, name }),
        );
        return xml('query', { xmlns: NS.discoItems, node: NS.commands }, ...list);
      },
      info: () =>
        xml(
          'query',
          { xmlns: NS.discoInfo, node: NS.commands },
          xml('identity', { category: 'automation', type: 'command-list', name: 'Commands' }),
          xml('feature', { var: NS.discoInfo }),
          xml('feature', { var: NS.discoItems }),
        ),
    });
    mod.add('discoNodes', {
      of: 'host',
      node: '*',
      info: ({ node, from, to }) => {
        const command = find(mod, node, from.bare, to.domain);
        if (!command) return kept(mod, node, to.domain);
        return xml(
          'query',
          { xmlns: NS.discoInfo, node },
          xml('identity', { category: 'automation', type: 'command-node', name: command.name }),
          xml('feature', { var: NS.commands }),
          xml('feature', { var: NS.dataForms }),
        );
      },
      items: ({ node, from, to }) =>
        find(mod, node, from.bare, to.domain)
          ? xml('query', { xmlns: NS.discoItems, node })
          : kept(mod, node, to.domain),
    });
    mod.every(30_000, () => {
      const { timeout, executions: most } = mod.options();
      executions.sweep(Date.now() - timeout * 1000, most);
    });
  },
});

function* available(mod: Mod, bare: string, host: string): Generator<Command> {
  const administers = (one: string): boolean => mod.node.admins(one).some(jid => jid.bare === bare);
  const admin = administers(host);
  const operator = admin && [...mod.node.hosts].every(administers);
  const may = { user: true, admin, operator };
  for (const { owner, item } of mod.collections.commands.entries) {
    if (may[item.access] && mod.node.moduleEnabled(owner, host)) yield item;
  }
}

function find(mod: Mod, node: string, bare: string, host: string): Command | undefined {
  for (const command of available(mod, bare, host)) if (command.node === node) return command;
  return undefined;
}

/** XEP-0050 2.2: who may not use a command is told so. */
function kept(mod: Mod, node: string, host: string): StanzaError | undefined {
  for (const { owner, item } of mod.collections.commands.entries) {
    if (item.node === node && mod.node.moduleEnabled(owner, host))
      return refuse('forbidden', 'This command is for administrators.');
  }
  return undefined;
}

interface Limits {
  readonly executions: number;
  readonly perAccount: number;
}

/** XEP-0050 2.4, 3, 4. */
async function execute(mod: Mod, limits: Limits, executions: Executions, request: IqRequest) {
  const { executions: most, perAccount } = limits;
  const { attrs } = request.payload;
  const { node } = attrs;
  // XEP-0050 4.1
  if (!node) return refuse('bad-request', "A command has a 'node'.");
  const host = request.to.domain;
  const action = attrs.action ?? 'execute';
  if (!ACTIONS.includes(action as 'execute')) return malformed('malformed-action');

  const command = find(mod, node, request.from.bare, host);
  if (!command) return kept(mod, node, host) ?? refuse('item-not-found', 'There is no such command.');

  const session = attrs.sessionid;
  const id = session ?? randomBytes(12).toString('base64url');
  const key = `${host} ${request.from.full} ${id}`;
  const known = executions.get(key);
  if (session !== undefined && known?.command.node !== node)
    return executions.isOver(key) ? expired() : malformed('bad-sessionid');
  if (known && action === 'cancel') {
    executions.end(key, most);
    return answer(node, id, 'canceled', []);
  }
  if (action !== 'execute' && !known?.actions.includes(action)) return malformed('bad-action');
  if (!known && (executions.size >= most || executions.of(request.from) >= perAccount))
    return new StanzaError('resource-constraint', { type: 'wait', text: 'Too many commands are under way.' });

  const { from } = request;
  const execution: Execution = known ?? { command, from, state: new Map(), actions: [], touched: 0 };
  execution.touched = Date.now();
  // XEP-0050 3.5.1: a form of type 'cancel' is read like one that is submitted
  const form = request.payload.getChild('x', NS.dataForms);
  const result = await command.run({
    from: request.from,
    host,
    values: form ? submittedValues(form) : undefined,
    action: action === 'execute' && known ? usual(known.actions) : (action as 'execute'),
    state: execution.state,
  });
  // the form stays open: a wrong value can be corrected
  if (result instanceof StanzaError) return result;
  if ('done' in result) {
    executions.end(key, most);
    const note = result.note && xml('note', { type: result.note.type }, result.note.text);
    return answer(node, id, 'completed', [note, result.form]);
  }
  const actions = result.actions ?? ['complete'];
  execution.actions = actions;
  executions.keep(key, execution);
  const element = xml('actions', { execute: usual(actions) }, ...actions.map(name => xml(name)));
  return answer(node, id, 'executing', [element, result.form]);
}

/** The values of a form by field; of fields that stand there twice, the last. */
function submittedValues(form: Element): Map<string, readonly string[]> {
  return new Map(formFields(form).flatMap(({ name, values }) => (name === undefined ? [] : [[name, values]])));
}

/** What `execute` stands for at a stage. */
function usual(actions: readonly string[]): 'next' | 'complete' {
  return actions.includes('next') ? 'next' : 'complete';
}

function answer(node: string, sessionid: string, status: string, children: (Element | undefined)[]): Element {
  return xml('command', { xmlns: NS.commands, node, sessionid, status }, ...children);
}

function malformed(condition: string): StanzaError {
  return new StanzaError('bad-request', { application: xml(condition, { xmlns: NS.commands }) });
}

function expired(): StanzaError {
  return new StanzaError('not-allowed', { application: xml('session-expired', { xmlns: NS.commands }) });
}
