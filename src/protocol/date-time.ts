const TIME = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** A date and time of XEP-0082 3.2, in milliseconds since 1970; undefined for what is none. */
export function readDateTime(text: string): number | undefined {
  const date = TIME.exec(text)?.[1];
  if (date === undefined) return undefined;
  const time = Date.parse(text);
  // to Date the 30th of February is the 2nd of March
  return Number.isNaN(time) || !new Date(date).toISOString().startsWith(date) ? undefined : time;
}

/** The same, written in UTC; `time` in milliseconds since 1970, of which the whole seconds are told, up to the next one. */
export function writeDateTime(time: number): string {
  return `${new Date(Math.ceil(time / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
