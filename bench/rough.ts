import type { Row } from './context.ts';

export const roughRows: readonly Row[] = [];
