import type { Logger } from 'pino';
import type { Packet } from '../bus/index.ts';
import { refuse, StanzaError } from '../protocol/index.ts';
import { StorageError } from '../storage/index.ts';
import type { Metrics } from './metrics.ts';

/** What goes wrong on a stanza's way, outside of modules: logged, counted, and told to the sender without detail. */
export function stanzaFailure(log: Logger, metrics: Metrics): (error: unknown, packet: Packet) => StanzaError {
  return (error, packet) => {
    const details = {
      err: error,
      kind: packet.stanza.name,
      id: packet.id,
      from: packet.from.full,
      session: packet.sender?.id,
    };
    if (error instanceof StorageError) {
      const help = 'Stanzas refused because the storage failed.';
      metrics.counter('posthouse_storage_failures_total', help, { kind: error.kind }).inc();
      log[error.told ? 'debug' : 'error'](details, `storage: ${error.message}`);
      return storageRefusal(error);
    }
    metrics.counter('posthouse_internal_errors_total', 'Stanzas answered with internal-server-error.').inc();
    log.error(details, 'a stanza could not be handled');
    return refuse('internal-server-error');
  };
}

/** What could not be stored may be sent again later: RFC 6120 8.3.3.18, 8.3.3.7. */
export function storageRefusal(error: StorageError): StanzaError {
  const text = 'The server cannot do it now. Try again later.';
  return new StanzaError(error.kind === 'full' ? 'resource-constraint' : 'internal-server-error', {
    type: 'wait',
    text,
  });
}
