import type { Command, CommandRequest, CommandResult } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { type Field, inputForm, resultForm } from '../commands/contract.ts';

export const FORM_TYPE = 'http://jabber.org/protocol/admin';

/** The values of a submitted form. */
export class Values {
  private readonly values: ReadonlyMap<string, readonly string[]>;
  readonly host: string;

  constructor(values: ReadonlyMap<string, readonly string[]>, host: string) {
    this.values = values;
    this.host = host;
  }

  text(name: string): string {
    return this.values.get(name)?.[0] ?? '';
  }

  lines(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }

  /** Addresses of accounts of this host, or the reason why one is not. */
  accounts(name: string): readonly Jid[] | StanzaError {
    const jids: Jid[] = [];
    for (const text of this.lines(name)) {
      if (text.trim() === '') continue;
      const jid = parseJid(text.trim());
      if (!jid || jid.local === '') return refuse('not-acceptable', `'${text}' is not the address of an account.`);
      if (jid.domain !== this.host) return refuse('not-allowed', `'${jid.domain}' is another host: ask that one.`);
      jids.push(jid);
    }
    return jids.length > 0 ? jids : refuse('bad-request', `The field '${name}' is empty.`);
  }

  account(name: string): Jid | StanzaError {
    const jids = this.accounts(name);
    return jids instanceof StanzaError ? jids : jids[0]!;
  }
}

/** What a command tells at its end: a sentence, or fields. */
export type Told = { note: string } | { fields: readonly Field[]; more?: readonly Element[] } | StanzaError;

/** A command with one form to fill in, or none. */
export function adminCommand(definition: {
  node: string;
  name: string;
  instructions?: string;
  /** Default 'admin'. */
  access?: Command['access'];
  fields?: readonly Field[] | ((request: CommandRequest) => readonly Field[] | Promise<readonly Field[]>);
  run(values: Values, request: CommandRequest): Told | Promise<Told>;
}): Command {
  const { node, name, instructions = 'Fill in this form.', access = 'admin', fields, run } = definition;
  return {
    node: `${FORM_TYPE}#${node}`,
    name,
    access,
    run: async (request): Promise<CommandResult> => {
      if (fields && !request.values) {
        const list = typeof fields === 'function' ? await fields(request) : fields;
        return { form: inputForm(FORM_TYPE, name, instructions, list), actions: ['complete'] };
      }
      const told = await run(new Values(request.values ?? new Map(), request.host), request);
      if (told instanceof StanzaError) return told;
      if ('note' in told) return { done: true, note: { type: 'info', text: told.note } };
      return { done: true, form: resultForm(FORM_TYPE, told.fields, told.more) };
    },
  };
}
