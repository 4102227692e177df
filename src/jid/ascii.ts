import { domainToASCII } from 'node:url';

/** A domain as TLS, HTTP and DNS say it: in A-labels (RFC 5890 2.3.2.1). What is no name of a host stays as it is, in lower case. */
export function asciiDomain(domain: string): string {
  return domainToASCII(domain) || domain.toLowerCase();
}
