import { arrive } from './xmpp-client.ts';
import { plays } from './plays.ts';

plays('@xmpp/client', ['STARTTLS', 'direct TLS', 'WebSocket'], arrive, { haste: true });
