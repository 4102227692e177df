/* Who asks to become a member of a group (R108), for those who decide. docs/groups.md */
import type { Answer, IqRequest, MaybePromise } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import { atLeast, type RoomsService } from '../rooms/contract.ts';
import { GROUPS } from './errors.ts';
import type { Groups } from './groups.ts';

/** Those of one answer; rooms keep no more. */
const MOST = 1000;

/** Answers <applications/>: who asked first comes first. */
export function listApplications(rooms: RoomsService, groups: Groups, request: IqRequest): MaybePromise<Answer> {
  return rooms.with<Answer>(request.to, async room => {
    if (!room || !(await groups.of(room))) return refuse('service-unavailable', 'This is no group.');
    if (!atLeast(room.actor(request.from).affiliation, 'admin'))
      return refuse('forbidden', 'Only admins and the owner are told who asks to become a member.');
    const all = room.applications.slice(0, MOST).map(({ jid, form, applied }) => {
      const { nick, faq } = form;
      const stamp = new Date(applied).toISOString();
      return xml('application', { jid: jid.bare, nick, stamp }, faq ? xml('text', {}, faq) : undefined);
    });
    return xml('applications', { xmlns: GROUPS }, ...all);
  });
}
