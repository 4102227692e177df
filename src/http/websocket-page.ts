import type { HttpRoutes } from '../api/collections.ts';
import { WEBSOCKET_PATH } from './server.ts';

const TEXT = `XMPP clients connect here by WebSocket (RFC 7395). There is nothing for a browser to show.
Whoever came to accept the certificate has done so.
`;

/** What a browser gets that looks at the WebSocket's address: RFC 9110 15.5.22. */
export function websocketPage(): HttpRoutes {
  return {
    on: 'both',
    register: app => {
      app.get(WEBSOCKET_PATH, async (_request, reply) => {
        reply
          .code(426)
          .header('Upgrade', 'websocket')
          .header('Connection', 'Upgrade')
          .type('text/plain; charset=utf-8');
        return TEXT;
      });
    },
  };
}
