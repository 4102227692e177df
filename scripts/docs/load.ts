import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { loadConfig } from '../../src/node/config/index.ts';
import { findModule, optionsOfModule, ownModules } from '../../src/node/modules/find.ts';
import { Node } from '../../src/node/node.ts';
import type { ModuleDefinition } from '../../src/api/index.ts';

/** The house with all its modules loaded, to be asked what there is. */
export interface House {
  readonly node: Node;
  /** By name, sorted. */
  readonly modules: readonly ModuleDefinition[];
}

/** Starts a node that listens to nobody, with every module of the house, on data that go away afterwards. */
export async function withHouse<T>(use: (house: House) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'posthouse-docs-'));
  try {
    const names = ownModules();
    const file = path.join(folder, 'posthouse.yaml');
    // JSON is YAML
    writeFileSync(file, JSON.stringify({ modules: Object.fromEntries(names.map(name => [name, {}])) }));
    const read = () => loadConfig({ file, data: path.join(folder, 'data'), moduleOptions: optionsOfModule });
    const node = await Node.start({
      config: await read(),
      reread: read,
      log: pino({ level: 'silent' }),
      listen: false,
    });
    try {
      const found = await Promise.all(names.map(name => findModule(name, folder)));
      return await use({ node, modules: found.map(({ definition }) => definition) });
    } finally {
      await node.stop('the documentation is made');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
