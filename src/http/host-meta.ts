import type { FastifyRequest } from 'fastify';
import type { HttpRoutes } from '../api/collections.ts';
import { escapeXml } from '../xml/index.ts';
import { WEBSOCKET_PATH } from './server.ts';

const WEBSOCKET_REL = 'urn:xmpp:alt-connections:websocket';

/** Where clients that speak no TCP find this server: XEP-0156 3. */
export function hostMeta(parts: { hosts: () => readonly string[]; httpsPort: () => number | undefined }): HttpRoutes {
  /** The links for the domain that was asked for; undefined for none of ours. */
  const websocket = (request: FastifyRequest): string | undefined => {
    const asked = request.hostname.toLowerCase();
    const hosts = parts.hosts();
    const port = parts.httpsPort();
    const local = asked === 'localhost' || /^[\d.]+$/.test(asked) || asked.includes(':');
    const host = hosts.includes(asked) ? asked : local ? hosts[0] : undefined;
    return host && port ? `wss://${host}${port === 443 ? '' : `:${port}`}${WEBSOCKET_PATH}` : undefined;
  };
  return {
    on: 'both',
    register: app => {
      app.get('/.well-known/host-meta', async (request, reply) => {
        const href = websocket(request);
        const link = href ? `\n  <Link rel="${WEBSOCKET_REL}" href="${escapeXml(href)}"/>` : '';
        reply.type('application/xrd+xml; charset=utf-8').header('Access-Control-Allow-Origin', '*');
        return `<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>${link}\n</XRD>\n`;
      });
      app.get('/.well-known/host-meta.json', async (request, reply) => {
        const href = websocket(request);
        reply.type('application/json; charset=utf-8').header('Access-Control-Allow-Origin', '*');
        return { links: href ? [{ rel: WEBSOCKET_REL, href }] : [] };
      });
    },
  };
}
