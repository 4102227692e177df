/** Rough handling: what one bad client costs the others. Each row has an uninvolved pair chatting beside it. */
import type { Row } from './context.ts';
import { attributesRow } from './rough/attributes.ts';
import { cutRow } from './rough/cut.ts';
import { dribbleRow } from './rough/dribble.ts';
import { floodRow } from './rough/flood.ts';
import { frozenRow } from './rough/frozen.ts';
import { passwordsRow } from './rough/passwords.ts';

export const roughRows: readonly Row[] = [frozenRow, floodRow, dribbleRow, attributesRow, cutRow, passwordsRow];
