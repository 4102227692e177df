import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const API = pathToFileURL(path.resolve('src/api/index.ts')).href;
const PROTOCOL = pathToFileURL(path.resolve('src/protocol/index.ts')).href;
const XML = pathToFileURL(path.resolve('src/xml/index.ts')).href;

/** The code of a module that a test writes: what its `setup(mod)` does, and more of its definition. */
export function moduleCode(name: string, setup: string, more = ''): string {
  return `import { Answered, defineModule, defineOptions, DONE, Empty, option, Packet, ServiceDomain } from '${API}';
import { refuse } from '${PROTOCOL}';
import { xml } from '${XML}';
export default defineModule({
  name: '${name}',
  doc: 'Written by a test.',
  ${more}
  async setup(mod) {
    ${setup}
  },
});
`;
}

/** Writes a module into a folder below this one; the path of its own folder. */
export function writeModule(below: string, name: string, setup: string, more = ''): string {
  const folder = path.join(below, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'index.js'), moduleCode(name, setup, more));
  return folder;
}
