import { readFileSync } from 'node:fs';
import type { Add } from './finding.ts';

const NEEDED = 1024;
const COMFORTABLE = 65_536;

/** How many files, and so clients, the process may have open. */
export function checkLimits(add: Add): void {
  if (process.platform !== 'linux') return;
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  const files = match?.[1] === 'unlimited' ? Infinity : Number(match?.[1] ?? 0);
  const text = `this user may open ${files} files, and each client needs one`;
  if (files < NEEDED) add('problem', 'open files', `${text} ('ulimit -n ${COMFORTABLE}')`);
  else if (files < COMFORTABLE) add('hint', 'open files', `${text} ('ulimit -n ${COMFORTABLE}' for a busy server)`);
  else add('ok', 'open files', text);
}
