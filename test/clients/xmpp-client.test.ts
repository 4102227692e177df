import { arrive } from './xmpp-client.ts';
import { plays } from './plays.ts';

for (const way of ['STARTTLS', 'direct TLS', 'WebSocket'] as const) plays('@xmpp/client', way, arrive);
