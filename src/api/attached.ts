import type { Mod, ServiceKey } from './module.ts';

/** Milliseconds between two looks whether a module that provides a service is another one: it may be reloaded by itself. */
const LOOK = 5000;

/**
 * Has to do with a service of a module that may be there or not: `attach` is called with it, and what that returns when it is another, or
 * gone. Gives the service as it is now.
 */
export function attached<T>(
  mod: Pick<Mod, 'cleanup' | 'every' | 'maybe'>,
  key: ServiceKey<T>,
  attach: (service: T) => () => void,
): () => T | undefined {
  let service: T | undefined;
  let detach: (() => void) | undefined;
  const look = (): T | undefined => {
    const now = mod.maybe(key);
    if (now === service) return service;
    detach?.();
    service = now;
    detach = now === undefined ? undefined : attach(now);
    return service;
  };
  look();
  mod.every(LOOK, () => void look());
  mod.cleanup(() => detach?.());
  return look;
}
