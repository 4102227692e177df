import { StanzaError, type StanzaErrorCondition, type StanzaErrorDetails } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';

export const GROUPS = 'urn:posthouse:groups:0'; // docs/groups.md

/** What the rules of groups say no by, beside a condition of RFC 6120: docs/groups.md lists them. */
export type GroupCondition =
  | 'discussion'
  | 'everybody-muted'
  | 'group-full'
  | 'groups-used-up'
  | 'muted'
  | 'not-a-friend'
  | 'not-a-member'
  | 'owner-must-transfer';

/** A refusal by a rule of groups, with its application-specific condition (RFC 6120 8.3.4). */
export function refuseBy(
  condition: StanzaErrorCondition,
  name: GroupCondition,
  text: string,
  {
    type,
    ...attributes
  }: Readonly<Record<string, number | string | undefined>> & Pick<StanzaErrorDetails, 'type'> = {},
): StanzaError {
  return new StanzaError(condition, {
    ...(type !== undefined && { type }),
    text,
    application: xml(name, { xmlns: GROUPS, ...attributes }),
  });
}
