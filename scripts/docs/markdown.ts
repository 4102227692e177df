export const MADE = '<!-- Made by `npm run docs` from the code. Do not edit. -->';

/** A text as a cell of a table. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Blocks with an empty line between them. */
export function page(...blocks: readonly (string | readonly string[])[]): string {
  return `${[MADE, ...blocks.flat()].join('\n\n')}\n`;
}
