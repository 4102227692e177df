import { randomFillSync } from 'node:crypto';

const stock = Buffer.alloc(4096);
let used = stock.length;

/**
 * So many random bytes as base64url, for names that nobody can guess. They come from a stock: to ask the system for a few of them costs
 * twenty times what they need.
 */
export function randomName(bytes: number): string {
  if (used + bytes > stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  const from = used;
  used += bytes;
  const name = stock.toString('base64url', from, used);
  // what was given is known to its receiver alone
  stock.fill(0, from, used);
  return name;
}
