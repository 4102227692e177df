/** Prints a result: as JSON for programs, else as the text that `text` makes of it. */
export function print(json: boolean, result: unknown, text: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(result) : text()}\n`);
}

/** Rows in columns as wide as their widest value. */
export function table(rows: readonly Record<string, unknown>[], columns: readonly string[], empty: string): string {
  if (rows.length === 0) return empty;
  const cell = (value: unknown): string => (value === undefined || value === null ? '-' : String(value));
  const widths = columns.map(column => Math.max(column.length, ...rows.map(row => cell(row[column]).length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, i) => text.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return [line(columns), ...rows.map(row => line(columns.map(column => cell(row[column]))))].join('\n');
}
