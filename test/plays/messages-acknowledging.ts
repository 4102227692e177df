import type { TestClient } from '../kit/client.ts';

/** Lets a client use stream management (XEP-0198) and answer each <r/> by itself until `stop` is called. */
export async function acknowledging(client: TestClient): Promise<{ stop(): void }> {
  client.send(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`);
  await client.expect(stanza => stanza.name === 'enabled', 'stream management');
  let handled = 0;
  let on = true;
  const { inbox } = client;
  inbox.push = (...stanzas) => {
    for (const stanza of stanzas) {
      if (stanza.name !== 'r') {
        handled++;
        Array.prototype.push.call(inbox, stanza);
      } else if (on) client.send(`<a xmlns='urn:xmpp:sm:3' h='${handled}'/>`);
    }
    return inbox.length;
  };
  return {
    stop: () => {
      on = false;
    },
  };
}
