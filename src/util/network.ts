/**
 * The network that an address belongs to, as whatever is bounded by address counts: an IPv4 address is its own, IPv6 is cut to the /64 that
 * one subscriber is given, IPv4 inside IPv6 is IPv4. Anything else (a socket's path, nothing) comes back as it is.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const bare = address.replace(/%.*$/, '').toLowerCase(); // without a zone
  const mapped = /^(?:0*:)*:?ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare);
  if (mapped?.[1]) return mapped[1];

  const [head = '', tail] = bare.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    const width = after.at(-1)?.includes('.') ? after.length + 1 : after.length; // a dotted quad is two groups
    while (groups.length + width < 8) groups.push('0');
    groups.push(...after);
  }
  return `${groups.slice(0, 4).map(trimmed).join(':')}::/64`;
}

function trimmed(group: string): string {
  return group.replace(/^0+(?=.)/, '');
}
