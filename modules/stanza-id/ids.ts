import { randomBytes } from 'node:crypto';

const DIGITS = '0123456789abcdefghijklmnopqrstuv';

/** A number as that many digits of base 32, whose order as text is that of the numbers. */
export function base32(value: number, length: number): string {
  let out = '';
  for (let rest = value, i = 0; i < length; i++) {
    out = DIGITS[rest % 32]! + out;
    rest = Math.floor(rest / 32);
  }
  return out;
}

const PAIRS = Array.from({ length: 1024 }, (_, i) => base32(i, 2));
/** Ids of one millisecond; those that come after are dated a millisecond later. */
const PER_MILLISECOND = 1024;

/**
 * Makes ids: 10 digits of time, 2 of a count within the millisecond, 5 that this process drew when it began, 4 drawn anew each
 * time, since ids should not be guessed (XEP-0359 3). Strictly ascending, also when the clock is set back, and later than `after`
 * (milliseconds since 1970): ids of an earlier run, for one.
 */
export function idMaker(now: () => number = Date.now, after: () => number = () => 0): () => string {
  const node = base32(randomBytes(4).readUInt32BE() >>> 7, 5);
  let time = 0;
  let second = 0;
  let early = '';
  let prefix = '';
  let count = PER_MILLISECOND;
  return () => {
    const clock = now();
    if (clock > time || count === PER_MILLISECOND || time <= after()) {
      time = Math.max(clock, time + 1, after() + 1);
      // the first eight digits change once a second
      const passed = Math.floor(time / 1024);
      if (passed !== second) {
        second = passed;
        early = base32(passed, 8);
      }
      prefix = early + PAIRS[time % 1024]!;
      count = 0;
    }
    const random = (Math.random() * 1_048_576) >>> 0;
    return prefix + PAIRS[count++]! + node + PAIRS[random >>> 10]! + PAIRS[random & 1023]!;
  };
}
