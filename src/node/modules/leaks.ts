import type { Registries } from './mod.ts';

/** What is registered anywhere for a module that is not loaded: a line for each. */
export function leaksOf(registries: Registries, isLoaded: (module: string) => boolean): string[] {
  const { points, iqs, collections, services, slots, jobs } = registries;
  const left: string[] = [];
  const check = (owner: string, what: string): void => {
    if (owner !== 'core' && !isLoaded(owner)) left.push(`${owner}: ${what}`);
  };
  for (const [name, point] of Object.entries(points)) {
    const registered = 'run' in point ? point.registrations : point.listeners;
    for (const { owner } of registered) check(owner, name);
  }
  for (const { owner, xmlns } of iqs.registrations) check(owner, `iq ${xmlns}`);
  for (const [name, collection] of Object.entries(collections)) {
    for (const { owner } of collection.entries) check(owner, name);
  }
  for (const [name, { owner }] of services) check(owner, `service ${name}`);
  for (const owner of slots.owners) check(owner, 'a slot on sessions');
  for (const owner of jobs.owners) check(owner, 'a job');
  if (slots.leftovers > 0) left.push(`${slots.leftovers} sessions with values of nobody's`);
  return left;
}
