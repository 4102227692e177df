/* What a number is: the name of the account, or digits of a person's own, as the host has it. */
import { prepareLocal } from '../../src/jid/index.ts';
import type { SearchOptions } from './options.ts';

const DIGITS = /^\+?\d{3,20}$/;
/** What people write between digits. */
const BETWEEN = /[\s()./\-\u2010-\u2015]/g;

export const WHAT_DIGITS_ARE = "A number has 3 to 20 digits, and may begin with '+'.";

/** As it is kept and compared; undefined where it is none. */
export function readNumber(text: string, kind: SearchOptions['number']): string | undefined {
  if (kind === 'account') return prepareLocal(text.trim());
  const plain = text.normalize('NFKC').replace(BETWEEN, '');
  return DIGITS.test(plain) ? plain : undefined;
}
