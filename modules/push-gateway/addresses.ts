/** Networks of IPv4 that are not for everybody (RFC 6890), with the bits of their prefix. */
const SPECIAL: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const NETWORKS = SPECIAL.map(
  ([network, bits]) => [Math.floor(numberOf(network) / 2 ** (32 - bits)), 32 - bits] as const,
);

/** Whether an IP address is one that the whole world reaches. */
export function isPublic(address: string): boolean {
  if (!address.includes(':')) {
    const number = numberOf(address);
    return !NETWORKS.some(([network, rest]) => Math.floor(number / 2 ** rest) === network);
  }
  // of IPv6 only 2000::/3 is given out (RFC 4291 2.4), but for what leads into IPv4 or is for documents
  const [first = '', second = ''] = address.toLowerCase().split(':');
  const [head, next] = [parseInt(first, 16), parseInt(second === '' ? '0' : second, 16)];
  if (!(head >= 0x2000 && head <= 0x3fff)) return false;
  return head !== 0x2002 && !(head === 0x2001 && (next === 0 || next === 0xdb8));
}
