import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** What a test cannot do without and a machine may lack: one of the first three, and a sentence saying what for. */
export interface Need {
  /** A program, by its name in the path or by its own path. */
  readonly command?: string;
  /** A package of Node. */
  readonly module?: string;
  /** A module of the system's Python. */
  readonly python?: string;
  /** Where it comes from, and what it is for: shown when it is missing. */
  readonly why: string;
}

/** The Python that Debian's packages are for, whatever else is in the path. */
export const PYTHON = '/usr/bin/python3';

/** Whether nothing may be skipped: `.ci/run` says so. */
const ALL = ['1', 'true', 'yes'].includes(process.env.POSTHOUSE_TEST_ALL ?? '');

/** A program that could not be had: `.ci/run` says which. */
const WITHOUT = process.env.POSTHOUSE_TEST_WITHOUT ?? '';

const found = new Map<string, boolean>();

/**
 * Skips a test or a suite (`before(function () { needs(this, ...) })`) where something is not installed, saying so.
 * @throws an error that fails it where POSTHOUSE_TEST_ALL=1 says that nothing may be skipped
 */
export function needs(context: Mocha.Context, need: Need): void {
  const missing = lacks(need);
  if (missing === undefined) return;
  const isKnown = WITHOUT !== '' && need.command !== undefined && path.basename(need.command) === WITHOUT;
  if (ALL && !isKnown) throw new Error(`${missing} (${need.why}), and POSTHOUSE_TEST_ALL allows no test to be skipped`);
  console.log(`      skipped: ${missing} (${need.why})`);
  context.skip();
}

/** What is missing, as a sentence without its end; nothing when all is there. */
export function lacks({ command, module, python }: Need): string | undefined {
  if (command !== undefined && !once(`command ${command}`, () => isProgram(command))) {
    return `the program ${command} is not installed`;
  }
  if (module !== undefined && !once(`module ${module}`, () => isPackage(module))) {
    return `the package ${module} is not installed`;
  }
  if (python !== undefined && !once(`python ${python}`, () => isPythonModule(python))) {
    return `the Python module ${python} is not installed for ${PYTHON}`;
  }
  return undefined;
}

function once(key: string, look: () => boolean): boolean {
  let answer = found.get(key);
  if (answer === undefined) found.set(key, (answer = look()));
  return answer;
}

function isProgram(command: string): boolean {
  const folders = command.includes('/') ? [''] : (process.env.PATH ?? '').split(path.delimiter);
  return folders.some(folder => {
    const file = path.join(folder, command);
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

function isPackage(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (error) {
    // there, but only for `import`, or without an entry: its folder was found
    return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}

function isPythonModule(name: string): boolean {
  if (!/^[\w.]+$/.test(name)) throw new Error(`${name} is no name of a Python module`);
  return isProgram(PYTHON) && spawnSync(PYTHON, ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0;
}
