/** Bytes of a file, both included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Ranges that one request may name. */
const MOST = 16;

/**
 * What a Range header asks for of so many bytes (RFC 9110 14.1.2, 14.2). 'all' where it is to be ignored: another unit, no grammar, several
 * ranges that are not one together (which a server may answer with everything). 'none': nothing of it is there (416).
 */
export function readRange(header: string, size: number): Span | 'all' | 'none' {
  const match = /^bytes[ \t]*=(.*)$/i.exec(header);
  if (!match) return 'all';
  const texts = match[1]!.split(',').map(text => text.trim()).filter(text => text !== ''); // prettier-ignore
  if (texts.length === 0 || texts.length > MOST) return 'all';
  const spans: Span[] = [];
  for (const text of texts) {
    const parts = /^(\d*)[ \t]*-[ \t]*(\d*)$/.exec(text);
    if (!parts || (parts[1] === '' && parts[2] === '')) return 'all';
    const [first, last] = [parts[1]!, parts[2]!];
    if (first === '') {
      const length = Math.min(Number(last), size);
      if (length > 0) spans.push({ start: size - length, end: size - 1 });
      continue;
    }
    const start = Number(first);
    if (last !== '' && Number(last) < start) return 'all';
    if (start < size) spans.push({ start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) });
  }
  if (spans.length === 0) return 'none';
  spans.sort((a, b) => a.start - b.start);
  const { start } = spans[0]!;
  let { end } = spans[0]!;
  for (const span of spans) {
    if (span.start > end + 1) return 'all';
    end = Math.max(end, span.end);
  }
  return { start, end };
}
