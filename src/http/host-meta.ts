import type { FastifyRequest } from 'fastify';
import type { HttpRoutes } from '../api/collections.ts';
import { asciiDomain } from '../jid/index.ts';
import { escapeXml } from '../xml/index.ts';
import { BOSH_PATH, WEBSOCKET_PATH } from './server.ts';

interface Link {
  readonly rel: string;
  readonly href: string;
}

/** Where clients that speak no TCP find this server: XEP-0156 3. */
export function hostMeta(parts: {
  hosts: () => readonly string[];
  httpsPort: () => number | undefined;
  bosh: () => boolean;
}): HttpRoutes {
  /** The links for the domain that was asked for; none where it is none of ours. */
  const links = (request: FastifyRequest): Link[] => {
    const asked = request.hostname.toLowerCase();
    const hosts = parts.hosts();
    const port = parts.httpsPort();
    const local = asked === 'localhost' || /^[\d.]+$/.test(asked) || asked.includes(':');
    const names = hosts.map(asciiDomain);
    const name = names.includes(asked) ? asked : local ? names[0] : undefined;
    if (!name || !port) return [];
    const authority = `${name}${port === 443 ? '' : `:${port}`}`;
    const found = [{ rel: 'urn:xmpp:alt-connections:websocket', href: `wss://${authority}${WEBSOCKET_PATH}` }];
    if (parts.bosh()) found.push({ rel: 'urn:xmpp:alt-connections:xbosh', href: `https://${authority}${BOSH_PATH}` });
    return found;
  };
  return {
    on: 'both',
    register: app => {
      app.get('/.well-known/host-meta', async (request, reply) => {
        const lines = links(request).map(({ rel, href }) => `\n  <Link rel="${rel}" href="${escapeXml(href)}"/>`);
        reply.type('application/xrd+xml; charset=utf-8').header('Access-Control-Allow-Origin', '*');
        return `<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>${lines.join('')}\n</XRD>\n`;
      });
      app.get('/.well-known/host-meta.json', async (request, reply) => {
        reply.type('application/json; charset=utf-8').header('Access-Control-Allow-Origin', '*');
        return { links: links(request) };
      });
    },
  };
}
