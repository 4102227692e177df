import { defineOptions, option, type OptionsOf } from '../../src/api/index.ts';

export const options = defineOptions({
  domain: option.string({
    default: 'search.{host}',
    doc: 'The domain of the directory, below each host.',
    reload: 'live',
    pattern: '^[^\\s/@]+$',
  }),
  byNumber: option.boolean({
    default: true,
    doc: 'Whether people who have said nothing of it are found by their number.',
    reload: 'live',
  }),
  byName: option.boolean({
    default: false,
    doc: 'Whether people who have said nothing of it are found by their nickname and name.',
    reload: 'live',
  }),
  number: option.choice(['account', 'chosen', 'assigned'], {
    default: 'account',
    doc: "What a number is: the name of the account; digits that each user chooses, whoever comes first; or digits that administrators give. Nobody's number is another's.",
    reload: 'live',
  }),
  searchers: option.choice(['host', 'node'], {
    default: 'host',
    doc: 'Whose accounts find people: those of the same host, or those of all hosts of this server.',
    reload: 'live',
  }),
  minimum: option.integer({
    default: 2,
    minimum: 1,
    maximum: 10,
    unit: 'characters',
    doc: 'What is shorter finds only people who are called just that.',
    reload: 'live',
  }),
  results: option.integer({
    default: 100,
    minimum: 1,
    maximum: 1000,
    unit: 'people',
    doc: 'The most that one search finds, over all of its pages.',
    reload: 'live',
  }),
  page: option.integer({
    default: 20,
    minimum: 1,
    maximum: 100,
    unit: 'people',
    doc: 'The most that one answer shows, and what it shows where no less is asked for.',
    reload: 'live',
  }),
  searchesPerMinute: option.integer({
    default: 20,
    minimum: 1,
    maximum: 100_000,
    doc: 'Searches of one account in a minute; each page is one.',
    reload: 'live',
  }),
  searchesPerDay: option.integer({
    default: 500,
    minimum: 1,
    maximum: 10_000_000,
    doc: 'Searches of one account in a day.',
    reload: 'live',
  }),
  peoplePerDay: option.integer({
    default: 1000,
    minimum: 1,
    maximum: 10_000_000,
    doc: 'People that are shown to one account in a day, so that nobody copies the directory.',
    reload: 'live',
  }),
});

export type SearchOptions = OptionsOf<typeof options>;
