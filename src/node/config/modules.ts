import { isMap, isScalar, type Node as YamlNode } from 'yaml';
import { defaultsOf, type OptionsSchema } from '../../api/options.ts';
import { checkObject, checkRequired, type CheckContext, isEmpty, keyOf } from './check.ts';
import { suggestion } from './problems.ts';
import { DEFAULT_MODULES } from './schema.ts';

/** Gives the options of a module; rejects with a sentence when there is no such module. */
export type ModuleOptions = (name: string, folder: string) => Promise<OptionsSchema>;

/** Checks `modules`: by name, those that are on without being named unless they are turned off. */
export async function checkModules(node: YamlNode | undefined, optionsOf: ModuleOptions, context: CheckContext) {
  const modules: Record<string, Record<string, unknown>> = {};
  const schemas = new Map<string, OptionsSchema>();
  const wanted = new Map<string, { key?: YamlNode; value?: YamlNode | null }>();
  for (const name of DEFAULT_MODULES) wanted.set(name, {});
  if (node && !isMap(node)) context.problem(node, 'modules', 'a map from modules to their options.');
  for (const pair of isMap(node) ? node.items : []) {
    const name = keyOf(pair);
    const { key, value } = pair as { key: YamlNode; value: YamlNode | null };
    if (!isScalar(value) || value.value !== false) wanted.set(name, { key, value });
    // one of the operator's own that is off need not even be there
    else if (!wanted.delete(name) && isName(name) && !(await exists(name, optionsOf, context)))
      context.problem(key, `modules.${name}`, `there is no such module.${suggestion(name, DEFAULT_MODULES)}`);
  }
  const check = async (name: string, { key, value }: { key?: YamlNode; value?: YamlNode | null }): Promise<void> => {
    const at = `modules.${name}`;
    let schema: OptionsSchema;
    try {
      schema = await optionsOf(name, context.folder);
    } catch (error) {
      context.problem(key, at, (error as Error).message);
      return;
    }
    schemas.set(name, schema);
    const on = isEmpty(value) || (isScalar(value) && value.value === true);
    if (on) {
      modules[name] = { ...defaultsOf(schema) };
      checkRequired(schema, new Set(), key, at, context);
    } else if (isMap(value)) modules[name] = checkObject(schema, value, at, context);
    else context.problem(value, at, 'options of the module, or true or false.');
  };
  await Promise.all([...wanted].map(([name, given]) => check(name, given)));
  return { modules, schemas };
}

function isName(name: string): boolean {
  return /^[a-z0-9-]+$/i.test(name);
}

async function exists(name: string, optionsOf: ModuleOptions, context: CheckContext): Promise<boolean> {
  try {
    await optionsOf(name, context.folder);
    return true;
  } catch {
    return false;
  }
}
