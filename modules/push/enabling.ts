/* How clients enable and disable notifications: XEP-0357 4 and 5. */
import { type Answer, Empty, type IqRequest } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { type FormField, formFields, formTypeOf, NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { OWN, PUBLISH_OPTIONS } from './namespaces.ts';
import { type PublishOption, type Settings, settingsForm } from './registration.ts';
import type { KnownRegistrations } from './registrations.ts';

/** Most characters of a node, and of all publish options together. */
const LONGEST_NODE = 1024;
const LONGEST_OPTIONS = 8192;

export interface EnablingParts {
  readonly registrations: KnownRegistrations;
  readonly hosts: () => ReadonlySet<string>;
  perUser(host: string): number;
}

export async function enable({ registrations, hosts, perUser }: EnablingParts, request: IqRequest): Promise<Answer> {
  const { payload, session, from, to: account } = request;
  // an account that ends with its session has nobody to be woken
  if (!session || session.anonymous) return refuse('not-allowed', 'Only accounts that stay have push notifications.');
  const named = serviceOf(payload);
  if (named instanceof StanzaError) return named;
  const { service, node = '' } = named;
  if (hosts().has(service.domain))
    return refuse('not-allowed', 'A push service is not an account or a host of this server.');
  const options = optionsOf(payload);
  if (options instanceof StanzaError) return options;
  const settings = settingsOf(payload);
  if (settings instanceof StanzaError) return settings;
  await registrations.put(
    { account, service, node, device: from.resource, options, settings, enabledAt: Date.now() },
    perUser(account.domain),
  );
  return Empty;
}

/** What is not enabled is disabled already. */
export async function disable({ registrations }: EnablingParts, request: IqRequest): Promise<Answer> {
  const named = serviceOf(request.payload);
  if (named instanceof StanzaError) return named;
  await registrations.remove(request.to, named.service, named.node);
  return Empty;
}

function serviceOf({ attrs }: Element): { service: Jid; node: string | undefined } | StanzaError {
  const { jid, node } = attrs as { jid?: string; node?: string };
  if (jid === undefined || jid === '') return refuse('bad-request', "The push service has a 'jid'.");
  const service = parseJid(jid);
  if (!service) return refuse('jid-malformed', 'The address of the push service is none (RFC 7622).');
  if (node !== undefined && node.length > LONGEST_NODE)
    return refuse('not-acceptable', `A node has at most ${LONGEST_NODE} characters.`);
  return { service, node };
}

function formOf(payload: Element, formType: string): Element | undefined {
  return payload.getChildren('x', NS.dataForms).find(x => formTypeOf(x) === formType);
}

/** What has to be given back as it came, in forms that need not be perfect: it is for the service to judge. */
function optionsOf(payload: Element): readonly PublishOption[] | StanzaError {
  const x = formOf(payload, PUBLISH_OPTIONS);
  if (!x) return [];
  const named = (field: FormField): field is FormField & { name: string } =>
    field.name !== undefined && field.name !== 'FORM_TYPE';
  const options = formFields(x)
    .filter(named)
    .map(({ name, values }): PublishOption => [name, values]);
  if (JSON.stringify(options).length > LONGEST_OPTIONS)
    return refuse('not-acceptable', `Publish options have at most ${LONGEST_OPTIONS} characters.`);
  return options;
}

function settingsOf(payload: Element): Settings | StanzaError {
  const x = formOf(payload, OWN);
  return x ? settingsForm.read(x) : {};
}
