import { type ModuleOperation, type NodeView, NotDone } from '../../src/api/index.ts';
import { prepareDomain } from '../../src/jid/index.ts';

interface Parts {
  readonly node: Pick<NodeView, 'hosts'>;
  enabled(host: string): boolean;
}

/** `search.gather` with a host: what all its accounts are called is read anew, which may take minutes and is not waited for. */
export function gatherOperation(mod: Parts, gather: (host: string) => void): ModuleOperation {
  return {
    name: 'search.gather',
    looks: false,
    run: args => {
      const host = prepareDomain(args.text('host')) ?? '';
      if (!mod.node.hosts.has(host) || !mod.enabled(host))
        throw new NotDone(`There is no directory of '${args.text('host')}'.`);
      gather(host);
      return { host };
    },
  };
}
