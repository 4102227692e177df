export type Level = 'ok' | 'hint' | 'problem';

/** Something that was looked at. A problem keeps a node from working, a hint does not. */
export interface Finding {
  readonly level: Level;
  readonly about: string;
  readonly text: string;
}

export type Add = (level: Level, about: string, text: string) => void;
