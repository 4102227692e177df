/** IP literals as domainparts (RFC 7622 3.2, RFC 3986 3.2.2). IPv4 addresses need no code: they are labels of digits. */

const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/;
const IP_FUTURE = /^\[v[0-9a-f]+\.[a-z0-9\-._~!$&'()*+,;=:]+\]$/;

/** Whether lower-case text is an IP-literal: an IPv6 address without zone, or a later version's, in square brackets. */
export function isIpLiteral(text: string): boolean {
  return IPV6.test(text) ? URL.canParse(`http://${text}/`) : IP_FUTURE.test(text);
}
