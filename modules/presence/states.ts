import type { RosterItem, Subscription } from '../roster/contract.ts';

/** The four stanzas that change a subscription. */
export type SubscriptionType = 'subscribe' | 'subscribed' | 'unsubscribe' | 'unsubscribed';

export function isSubscriptionType(type: string): type is SubscriptionType {
  return type === 'subscribe' || type === 'subscribed' || type === 'unsubscribe' || type === 'unsubscribed';
}

/** A subscription between an account and a contact, as RFC 6121 appendix A.1 names it: nine states, and pre-approval. */
export interface State {
  readonly subscription: Subscription;
  /** The account asked and the contact has not answered: "Pending Out". */
  readonly pendingOut: boolean;
  /** The contact asked and the account has not answered: "Pending In". */
  readonly pendingIn: boolean;
  /** RFC 6121 3.4. */
  readonly approved: boolean;
}

/** What becomes of a state, and what is done with the stanza. */
export interface Change {
  readonly state: State;
  /** Outbound: it goes to the contact. Inbound: it goes to the account's clients. */
  readonly pass: boolean;
  /** An answer that the server gives in the account's name (A.3.1, A.3.2). */
  readonly reply?: 'subscribed' | 'unsubscribed';
}

export function stateOf(item: RosterItem | undefined, pendingIn: boolean): State {
  return {
    subscription: item?.subscription ?? 'none',
    pendingOut: item?.ask ?? false,
    pendingIn,
    approved: item?.approved ?? false,
  };
}

const has = (subscription: Subscription, way: 'to' | 'from'): boolean =>
  subscription === way || subscription === 'both';

function make(to: boolean, from: boolean): Subscription {
  return to ? (from ? 'both' : 'to') : from ? 'from' : 'none';
}

/** A stanza of the account to the contact: RFC 6121 A.2, 3.4.2. */
export function outbound(state: State, type: SubscriptionType): Change {
  const to = has(state.subscription, 'to');
  const from = has(state.subscription, 'from');
  switch (type) {
    case 'subscribe': // A.2.1
      return { state: to ? state : { ...state, pendingOut: true }, pass: true };
    case 'unsubscribe': // A.2.2
      return { state: { ...state, subscription: make(false, from), pendingOut: false }, pass: true };
    case 'subscribed': // A.2.3
      if (state.pendingIn) return { state: { ...state, subscription: make(to, true), pendingIn: false }, pass: true };
      return { state: from ? state : { ...state, approved: true }, pass: false };
    case 'unsubscribed': // A.2.4
      return {
        state: { ...state, subscription: make(to, false), pendingIn: false, approved: false },
        pass: state.pendingIn || from,
      };
  }
}

/** A stanza of the contact to the account: RFC 6121 A.3. */
export function inbound(state: State, type: SubscriptionType): Change {
  const to = has(state.subscription, 'to');
  const from = has(state.subscription, 'from');
  switch (type) {
    case 'subscribe': // A.3.1, 3.4.2
      if (from) return { state, pass: false, reply: 'subscribed' };
      if (state.approved)
        return {
          state: { ...state, subscription: make(to, true), pendingIn: false },
          pass: false,
          reply: 'subscribed',
        };
      return { state: { ...state, pendingIn: true }, pass: !state.pendingIn };
    case 'unsubscribe': // A.3.2
      if (!from && !state.pendingIn) return { state, pass: false };
      return {
        state: { ...state, subscription: make(to, false), pendingIn: false },
        pass: true,
        reply: 'unsubscribed',
      };
    case 'subscribed': // A.3.3
      return state.pendingOut
        ? { state: { ...state, subscription: make(true, from), pendingOut: false }, pass: true }
        : { state, pass: false };
    case 'unsubscribed': // A.3.4
      return {
        state: { ...state, subscription: make(false, from), pendingOut: false },
        pass: to || state.pendingOut,
      };
  }
}

/** The roster item of a state: none where nothing of it belongs in a roster (a request of the contact alone does not, A.1). */
export function itemOf(state: State, before: RosterItem | undefined, blank: RosterItem): RosterItem | undefined {
  if (!before && state.subscription === 'none' && !state.pendingOut && !state.approved) return undefined;
  const item = before ?? blank;
  const same =
    item.subscription === state.subscription && item.ask === state.pendingOut && item.approved === state.approved;
  if (same && before) return before;
  return { ...item, subscription: state.subscription, ask: state.pendingOut, approved: state.approved };
}
