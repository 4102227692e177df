import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isMap, LineCounter, type Node as YamlNode, parseDocument, type YAMLMap } from 'yaml';
import { isEmpty } from './check.ts';
import { ConfigError, type ConfigProblem } from './problems.ts';

const ALIASES = 50; // a YAML file of a few lines can ask for gigabytes by repeating itself

/** A file of the configuration: its YAML, and where in it something is. */
export class ConfigDocument {
  readonly file: string;
  /** What was found wrong so far. */
  readonly problems: ConfigProblem[] = [];
  private readonly lines = new LineCounter();

  constructor(file: string) {
    this.file = file;
  }

  /** Notes what is wrong at a node of the YAML; without one, with the file as a whole. */
  problem(node: YamlNode | null | undefined, at: string, message: string): void {
    const offset = node?.range?.[0];
    const { line, col } = offset === undefined ? { line: 0, col: 0 } : this.lines.linePos(offset);
    this.problems.push({ file: relative(this.file), line, column: col, path: at, message });
  }

  /** Throws what was found wrong, in the order of the file. */
  throwProblems(): void {
    if (this.problems.length === 0) return;
    throw new ConfigError(this.problems.toSorted((a, b) => a.line - b.line || a.column - b.column));
  }

  /** The options that the file sets; undefined for none. Throws a ConfigError when it is no YAML, or no map. */
  parse(): YAMLMap | undefined {
    const document = parseDocument(this.read().replace(/^\ufeff/, ''), {
      lineCounter: this.lines,
      uniqueKeys: true,
      version: '1.2',
    });
    for (const { code, linePos, message } of document.errors) {
      const [start] = linePos ?? [];
      this.problems.push({
        file: relative(this.file),
        line: start?.line ?? 0,
        column: start?.col ?? 0,
        path: '',
        message: `${message.split(' at line ')[0]!.split('\n')[0]!.replace(/\.$/, '')}.`,
      });
      // what follows it follows from it
      if (code === 'UNEXPECTED_TOKEN') break;
    }
    this.throwProblems();
    try {
      document.toJS({ maxAliasCount: ALIASES });
    } catch (error) {
      this.problem(undefined, '', `${(error as Error).message}.`);
    }
    const { contents } = document;
    if (contents === null || isEmpty(contents)) return undefined;
    if (!isMap(contents)) this.problem(contents as YamlNode, '', 'a configuration is a map of options.');
    this.throwProblems();
    return contents as YAMLMap;
  }

  private read(): string {
    try {
      return readFileSync(this.file, 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.problem(undefined, '', `${(code && REASONS[code]) ?? message}.`);
      throw new ConfigError(this.problems);
    }
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file. --conf FILE names another; without it the packaged one serves localhost',
  EISDIR: 'this is a folder, not a file',
  EACCES: 'this user may not read it',
};

function relative(file: string): string {
  const short = path.relative('.', file);
  return short.startsWith('..') ? file : short;
}
