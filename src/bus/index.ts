export { Chain, DONE, type Handler, inOrder, type Role, type Verdict, type Watch, type Where } from './chain.ts';
export { Fact } from './fact.ts';
export {
  type AbsentAnswers,
  type Answer,
  Empty,
  type IqRegistration,
  type IqRequest,
  IqTable,
  Markup,
} from './iq-table.ts';
export { Request } from './iq-request.ts';
export {
  type Address,
  BARE,
  FOREIGN,
  FULL,
  HOST,
  IQ,
  type Kind,
  KINDS,
  MESSAGE,
  NOWHERE,
  Packet,
  PRESENCE,
  stanzaType,
  wireJid,
} from './packet.ts';
export { makePoints, type Points } from './points.ts';
export { Safety } from './safety.ts';
export type { Kept, SessionView, UserView } from './session-view.ts';
export { stanzaProblem } from './stanza-problem.ts';
