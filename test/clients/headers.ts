import type { Client } from '@xmpp/client';

/** 0.14.0 looks for the server's header when its own has been written, and waits in vain for one that is there by then. */
export function hearHeaders(entity: Client): void {
  const open = entity.open.bind(entity);
  entity.open = options => Promise.race([open(options), new Promise<void>(resolve => entity.once('open', resolve))]);
}
