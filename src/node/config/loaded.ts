import path from 'node:path';
import { defaultsOf, type OptionsOf, type OptionsSchema } from '../../api/options.ts';
import { difference } from './difference.ts';
import { maskedValues, printConfig } from './print.ts';
import type { core, host as hostSchema, listener as listenerSchema } from './schema.ts';

export type ListenerConfig = OptionsOf<typeof listenerSchema>;
export interface HostConfig extends OptionsOf<typeof hostSchema> {
  /** Modules that are off here. */
  readonly without: readonly string[];
  /** Options of modules that are other here. */
  readonly modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What a configuration holds once it is found right. */
export interface ConfigValues {
  readonly core: OptionsOf<typeof core>;
  readonly hosts: Readonly<Record<string, HostConfig>>;
  readonly listeners: Readonly<Record<string, ListenerConfig>>;
  /** Modules that are on, by name, with their options. */
  readonly modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A configuration that was read and found right. */
export class LoadedConfig {
  readonly file: string;
  readonly values: ConfigValues;
  readonly schemas: ReadonlyMap<string, OptionsSchema>;

  constructor(file: string, values: ConfigValues, schemas: ReadonlyMap<string, OptionsSchema>) {
    this.file = file;
    this.values = values;
    this.schemas = schemas;
  }

  /** Folder that the file's relative paths start from. */
  get folder(): string {
    return path.dirname(this.file);
  }

  /** Options of a module, with a host's own where there are any. */
  moduleOptions(name: string, host?: string): Readonly<Record<string, unknown>> {
    const own = host === undefined ? undefined : this.values.hosts[host]?.modules[name];
    return own ?? this.values.modules[name] ?? defaultsOf(this.schemas.get(name) ?? {});
  }

  /** The configuration as YAML, secrets hidden. */
  print(): string {
    return printConfig(this.file, this.values, this.schemas);
  }

  /** The values, secrets hidden. */
  masked(): ConfigValues {
    return maskedValues(this.values, this.schemas);
  }

  /** What another configuration changes: at once, and at the next start. */
  difference(next: LoadedConfig): { live: string[]; restart: string[] } {
    return difference(this, next);
  }
}
