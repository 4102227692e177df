/**
 * What a stream announced, as one string that SCRAM protects: XEP-0474 5.1. The mechanisms are those of the profile that is used, the
 * bindings those of XEP-0440.
 */
export function announcement(mechanisms: readonly string[], bindings: readonly string[]): string {
  const list = joined(mechanisms);
  return bindings.length === 0 ? list : `${list}\x1f${joined(bindings)}`;
}

/** In the order of octets (i;octet): the names are ASCII. */
function joined(names: readonly string[]): string {
  return names.toSorted().join('\x1e');
}
