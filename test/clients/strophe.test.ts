import { arrive } from './strophe.ts';
import { plays } from './plays.ts';

plays('strophe.js', ['WebSocket', 'WebSocket without TLS', 'BOSH', 'BOSH without TLS'], arrive);
