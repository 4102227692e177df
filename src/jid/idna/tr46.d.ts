/** What the house uses of tr46 (UTS #46), which brings no types of its own. */
declare module 'tr46' {
  export interface Options {
    checkHyphens?: boolean;
    checkBidi?: boolean;
    checkJoiners?: boolean;
    useSTD3ASCIIRules?: boolean;
    verifyDNSLength?: boolean;
    transitionalProcessing?: boolean;
    ignoreInvalidPunycode?: boolean;
  }
  export function toASCII(domain: string, options?: Options): string | null;
  export function toUnicode(domain: string, options?: Options): { domain: string; error: boolean };
}

/** Classes of the Unicode Character Database as regular expressions; read by the table generator only. */
declare module 'tr46/lib/regexes.js' {
  const regexes: Record<
    'combiningClassVirama' | 'validZWNJ' | 'bidiS1LTR' | 'bidiS1RTL' | 'bidiS4EN' | 'bidiS4AN' | 'bidiS5' | 'bidiS6',
    RegExp
  >;
  export default regexes;
}
