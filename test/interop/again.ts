import type { Result, Run } from './results.ts';
import { type Excuses, unexcused } from './verdict.ts';

/** So many cases of a run may fail by chance. Where more fail something is broken, and none is run again. */
export const AGAIN_AT_MOST = 4;

/**
 * Runs each case that did not pass, and is not excused, once more with nothing before it; it counts as it came out there.
 *
 * The cases of a class share their accounts, and Smack begins the next one while answers of the one before are still under way, so
 * now and then a case fails whatever the server does. What was seen to do so:
 * - RosterIntegrationTest: a case ends when the request for a subscription has come. Smack refuses it in another thread, which can be
 *   after the next case has asked again. `ensureBothAccountsAreNotInEachOthersRoster` looks only at what the client has heard so far.
 * - RosterIntegrationTest.testPresenceDeliveredToRecipient takes what comes from the other account for its own request, also the
 *   `unsubscribe` of the case before it.
 * - SoftwareInfoIntegrationTest.test: "not reliable", says Smack (AbstractSmackIntegrationTest.performActionAndWaitForPresence): it asks
 *   after any presence at all.
 * - MultiUserChatOccupantIntegrationTest.mucMaxUsersLimitJoinRoomTest waits until a listener of the one who is not let in hears of that,
 *   and Smack takes these listeners back in another thread as soon as it knows that they are not let in.
 * - LowLevelRosterIntegrationTest.testPresenceEventListenersOffline: an answer to a roster push that was still in its queue when it
 *   disconnected goes out before the header of its next stream.
 *
 * @param alone runs one case, or one class (`Class.*`), with nothing before it
 * @param say is told of each case that is run again, and how that went
 */
export async function againAlone(
  first: Run,
  excuses: Excuses,
  alone: (name: string) => Promise<Run>,
  say: (line: string) => void,
): Promise<Run> {
  if (first.broken !== undefined) return first;
  const names = unexcused(first.results, excuses);
  if (names.length > AGAIN_AT_MOST) {
    say(`${names.length} cases did not pass: too many for chance, none is run again`);
    return first;
  }
  let run = first;
  for (const name of names) {
    const before = first.results.find(result => result.name === name && result.outcome !== 'passed')!;
    say(`${name} ${told(before)}; it is run again with nothing before it`);
    const second = await alone(name);
    run = replaced(run, name, second);
    const after = second.results.filter(result => belongsTo(result, name)).find(({ outcome }) => outcome !== 'passed');
    if (run.broken === undefined) say(`${name} ${after ? told(after) : 'passed'} when it was run alone`);
  }
  return run;
}

/** The run, with the results that a case had in another run instead of its own. */
export function replaced(run: Run, name: string, other: Run): Run {
  const own = other.results.filter(result => belongsTo(result, name));
  const rest = run.results.filter(result => result.name !== name);
  const wanted = run.results.filter(result => result.name === name && result.outcome !== 'passed');
  const ran = ({ variant }: Result): boolean => own.some(result => variant === 'class' || result.variant === variant);
  const missing = wanted.every(ran) ? undefined : `${name} was to be run alone, and was not`;
  return { ...run, results: [...rest, ...own], broken: run.broken ?? other.broken ?? missing };
}

/** Whether a result is of the case, or of the class that `Class.*` names. */
function belongsTo(result: Result, name: string): boolean {
  return result.name === name || (name.endsWith('.*') && result.name.startsWith(name.slice(0, -1)));
}

function told({ variant, outcome, reason }: Result): string {
  return `(${variant}) ${outcome === 'failed' ? 'failed' : 'was not run'}: ${reason}`;
}
