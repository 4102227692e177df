/* What is published to a push service: XEP-0357 6. */
import { defineForm, field, fieldElement, formTypeField, NS } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { OWN, PUBLISH_OPTIONS, PUBSUB, PUSH, SUMMARY } from './namespaces.ts';
import type { Registration } from './registration.ts';

const MOST = Number.MAX_SAFE_INTEGER;

export const summaryForm = defineForm(SUMMARY, {
  messages: field.integer('message-count', { minimum: 0, maximum: MOST }),
  requests: field.integer('pending-subscription-count', { minimum: 0, maximum: MOST }),
  sender: field.jid('last-message-sender'),
  body: field.text('last-message-body', { most: 4096 }),
});

export type Summary = Parameters<typeof summaryForm.result>[0];

export interface Notification {
  readonly summary: Summary;
  /** Whether somebody calls: it is of use at once or not at all. */
  readonly isCall: boolean;
}

export function publishElement({ node, options }: Registration, { summary, isCall }: Notification): Element {
  const form = summaryForm.result(summary);
  form.attrs.type = 'submit';
  return xml(
    'pubsub',
    { xmlns: PUBSUB },
    xml(
      'publish',
      { node: node === '' ? undefined : node },
      xml('item', {}, xml('notification', { xmlns: PUSH }, form, isCall && xml('call', { xmlns: OWN }))),
    ),
    options.length > 0 &&
      xml(
        'publish-options',
        {},
        xml(
          'x',
          { xmlns: NS.dataForms, type: 'submit' },
          formTypeField(PUBLISH_OPTIONS),
          ...options.map(([name, values]) => fieldElement({ name, type: 'text-single', values })),
        ),
      ),
  );
}
