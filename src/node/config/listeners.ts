import { isMap, isScalar, type Node as YamlNode, type YAMLMap } from 'yaml';
import { checkObject, type CheckContext, isEmpty, keyOf } from './check.ts';
import type { ListenerConfig } from './loaded.ts';
import { suggestion } from './problems.ts';
import { DEFAULT_LISTENERS, listener as listenerSchema } from './schema.ts';

const STANDARD: Readonly<Record<string, ListenerConfig>> = DEFAULT_LISTENERS;

/** Checks `listeners`: by name, the standard ones unless they are taken away. */
export function checkListeners(node: YamlNode | undefined, context: CheckContext): Record<string, ListenerConfig> {
  const out: Record<string, ListenerConfig> = { ...STANDARD };
  if (node && !isMap(node)) context.problem(node, 'listeners', 'a map from names to listeners.');
  if (!isMap(node)) return out;
  for (const pair of node.items) {
    const name = keyOf(pair);
    const at = `listeners.${name}`;
    const { key, value } = pair as { key: YamlNode; value: YamlNode | null };
    if (isEmpty(value)) continue;
    if (isScalar(value) && value.value === false) {
      if (!STANDARD[name])
        context.problem(key, at, `there is no such listener.${suggestion(name, Object.keys(STANDARD))}`);
      delete out[name];
      continue;
    }
    if (!isMap(value)) {
      context.problem(value, at, "a map with 'type' and 'port', or false.");
      continue;
    }
    out[name] = checkListener(name, key, value, context);
  }
  checkPorts(out, node, context);
  return out;
}

function checkListener(name: string, key: YamlNode, map: YAMLMap, context: CheckContext): ListenerConfig {
  const at = `listeners.${name}`;
  const given = checkObject(listenerSchema, map, at, context) as ListenerConfig;
  const named = new Set(map.items.filter(item => !isEmpty(item.value)).map(item => keyOf(item)));
  const standard = STANDARD[name];
  if (!standard) {
    const missing = ['type', 'port'].filter(needed => !named.has(needed)).map(needed => `'${needed}'`);
    const hint = suggestion(name, Object.keys(STANDARD));
    if (missing.length > 0)
      context.problem(
        key,
        at,
        `a listener of your own needs ${missing.join(' and ')}.${hint.startsWith(' Did') ? hint : ''}`,
      );
  }
  const value = standard
    ? (Object.fromEntries(
        Object.entries(given).map(([option, v]) => [
          option,
          named.has(option) ? v : standard[option as keyof ListenerConfig],
        ]),
      ) as unknown as ListenerConfig)
    : given;
  const node = (option: string): YamlNode => (map.get(option, true) as YamlNode | undefined) ?? map;
  const open = value.addresses.filter(address => !isLoopback(address));
  if (value.addresses.length === 0)
    context.problem(node('addresses'), `${at}.addresses`, `at least one; '${name}: false' closes the listener.`);
  if (value.allowPlaintext && open.length > 0) {
    context.problem(
      node('allowPlaintext'),
      `${at}.allowPlaintext`,
      `logins without TLS are for loopback addresses only, and ${open.join(', ')} is none.`,
    );
  }
  if (value.type === 'http' && open.length > 0) {
    context.problem(
      node('addresses'),
      `${at}.addresses`,
      `HTTP without TLS is for loopback addresses only, and ${open.join(', ')} is none. Use type https, or a proxy in front.`,
    );
  }
  return value;
}

/** No two at the same place. */
function checkPorts(listeners: Record<string, ListenerConfig>, node: YAMLMap, context: CheckContext): void {
  const ports = new Map<string, string>();
  for (const [name, { port, addresses }] of Object.entries(listeners)) {
    for (const address of addresses) {
      const key = `${address} ${port}`;
      const other = ports.get(key);
      const where = (node.getIn([name, 'port'], true) ?? node.getIn([other, 'port'], true)) as YamlNode | undefined;
      if (other !== undefined) {
        context.problem(
          where ?? node,
          `listeners.${name}.port`,
          `port ${port} of ${address} is that of listeners.${other} already.`,
        );
      }
      ports.set(key, name);
    }
  }
}

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address.startsWith('127.');
}
