import { option, type OptionsOf } from '../../src/api/index.ts';

const reload = 'live';
const { boolean, choice, duration, integer } = option;

export const groupOptions = {
  perUser: integer({
    default: 4,
    maximum: 1_000_000,
    doc: 'Groups that a user may have founded at a time. `posthouse group allow` makes exceptions.',
    reload,
  }),
  size: integer({
    default: 500,
    minimum: 2,
    maximum: 100_000,
    doc: 'Most members of a group, its owner and admins among them.',
    reload,
  }),
  transfer: boolean({
    default: true,
    doc: 'Whether the owner of a group leaves it only after transferring it to a member; otherwise whoever belongs to it longest, admins first, becomes its owner.',
    reload,
  }),
  afterTransfer: choice(['admin', 'member'], {
    default: 'member',
    doc: 'What the owner of a group is after transferring it.',
    reload,
  }),
  cursors: boolean({
    default: true,
    doc: 'Whether displayed markers (XEP-0333) of members are kept and handed out on demand, and not sent to all in the group.',
    reload,
  }),
  bookmarks: boolean({
    default: true,
    doc: 'Whether the groups of an account are kept among its bookmarks (XEP-0402), so that all its devices show them.',
    reload,
  }),
  discussionsPerUser: integer({
    default: 100,
    maximum: 1_000_000,
    doc: 'Discussion groups that a user may have made at a time.',
    reload,
  }),
  discussionSize: integer({
    default: 100,
    minimum: 2,
    maximum: 100_000,
    doc: 'Most members of a discussion group.',
    reload,
  }),
  discussionFriends: boolean({
    default: true,
    doc: 'Whether a discussion group is made with contacts of its creator only (subscription both).',
    reload,
  }),
  discussionInvites: boolean({
    default: true,
    doc: 'Whether any member of a discussion group that is made by the command may invite.',
    reload,
  }),
  discussionLeaves: choice(['handover', 'end'], {
    default: 'handover',
    doc: 'What becomes of a discussion group whose creator leaves: whoever belongs to it longest owns it, or it ends.',
    reload,
  }),
  discussionIdle: duration({
    default: 30 * 86_400,
    minimum: 0,
    doc: 'A discussion group in which nothing was said for so long ends; 0: it does not.',
    reload,
  }),
} as const;

export type GroupOptions = OptionsOf<typeof groupOptions>;
