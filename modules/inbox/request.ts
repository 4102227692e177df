import { NO_PAGING, type Paging, readPaging, refuse, StanzaError } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';

export const INBOX = 'urn:xmpp:inbox:1';

/** What a client asks of its inbox: XEP-0430 3.1. */
export interface InboxQuery {
  readonly unreadOnly: boolean;
  readonly messages: boolean;
  readonly paging: Paging;
}

export function readInboxQuery(element: Element): InboxQuery | StanzaError {
  const unreadOnly = readBoolean(element.attrs['unread-only'], false);
  const messages = readBoolean(element.attrs.messages, true);
  if (unreadOnly === undefined || messages === undefined)
    return refuse('bad-request', "'unread-only' and 'messages' are true or false.");
  const paging = readPaging(element) ?? NO_PAGING;
  if (paging instanceof StanzaError) return paging;
  return { unreadOnly, messages, paging };
}

/** XML Schema's boolean. */
function readBoolean(text: string | undefined, otherwise: boolean): boolean | undefined {
  if (text === undefined) return otherwise;
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}
