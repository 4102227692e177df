/** What a file is for (XEP-0363 5): each has a size, a time and a quota of its own. */
export const PURPOSES = ['message', 'profile', 'ephemeral', 'permanent'] as const;
export type Purpose = (typeof PURPOSES)[number];

export const PURPOSE = 'urn:xmpp:http:upload:purpose:0';

export function isPurpose(name: string): name is Purpose {
  return (PURPOSES as readonly string[]).includes(name);
}
