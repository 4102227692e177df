import { arrive } from './stanza.ts';
import { plays } from './plays.ts';

plays('stanza', 'WebSocket', arrive);
