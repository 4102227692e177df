/* What contract.ts promises to other modules. */
import { andThen, type IqRequest, type MaybePromise, type ServiceDomain } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { refuse, type StanzaError } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import type { Commands } from './commands.ts';
import { configFromJson, DEFAULTS } from './config.ts';
import type {
  Belonging,
  NewRoom,
  RoomCommands,
  RoomListener,
  RoomPolicy,
  RoomsDisco,
  RoomsIq,
  RoomsService,
  RoomView,
  ServiceCommands,
} from './contract.ts';
import { isThere } from './disco.ts';
import { NO_ROOM, type Room } from './room.ts';
import type { Rooms } from './rooms.ts';

/** Answers of other modules to disco. */
export class ForeignDisco {
  private all: readonly RoomsDisco[] = [];

  add(disco: RoomsDisco): () => void {
    this.all = [...this.all, disco];
    return () => {
      this.all = this.all.filter(other => other !== disco);
    };
  }

  features(host: string, room?: Room): string[] {
    return this.all.flatMap(({ features }) => features?.(host, room?.view) ?? []);
  }

  /** The answer of the first that knows the node. */
  node(
    of: 'info' | 'items',
    request: IqRequest,
    node: string,
    from = 0,
  ): MaybePromise<Element | StanzaError | undefined> {
    const disco = this.all[from];
    return disco && andThen(disco[of]?.(request, node), found => found ?? this.node(of, request, node, from + 1));
  }
}

export interface ProviderParts {
  readonly rooms: Rooms;
  readonly service: ServiceDomain;
  readonly disco: ForeignDisco;
  readonly commands: Commands;
}

export class Provided implements RoomsService {
  private readonly parts: ProviderParts;

  constructor(parts: ProviderParts) {
    this.parts = parts;
  }

  domainOf(host: string): string | undefined {
    return this.parts.service.domainOf(host);
  }

  hostOf(domain: string): string | undefined {
    return this.parts.service.hostOf(domain);
  }

  with<T>(jid: Jid, job: (room: RoomView | undefined) => MaybePromise<T>): MaybePromise<T> {
    const room = this.parts.rooms.at(jid);
    return room.do(() => job(room.state && room.view));
  }

  create({ jid, creator, nick, config, affiliated, unless }: NewRoom): MaybePromise<StanzaError | undefined> {
    const room = this.parts.rooms.at(jid);
    return room.do<StanzaError | undefined>(async () => {
      if (room.state) return refuse('conflict', 'There is such a room already.');
      const refused = await unless?.();
      if (!refused) await room.create(creator, { config, nick, affiliated });
      return refused;
    });
  }

  belonging(account: Jid): MaybePromise<Belonging[]> {
    return andThen(this.parts.rooms.store.lists.belonging(account), rows =>
      rows.flatMap(({ jid, config, affiliation, since }) => {
        const address = parseJid(jid);
        return address
          ? { jid: address, config: configFromJson(config, DEFAULTS), affiliation, since: Number(since) }
          : [];
      }),
    );
  }

  async persistent(after: string, most: number): Promise<Jid[]> {
    const addresses = await this.parts.rooms.store.lists.persistent(after, most);
    return addresses.flatMap(address => parseJid(address) ?? []);
  }

  guard(policy: RoomPolicy): () => void {
    return this.parts.rooms.policies.guard(policy);
  }

  listen(listener: RoomListener): () => void {
    return this.parts.rooms.policies.listen(listener);
  }

  iq({ to, answer, ...which }: RoomsIq): () => void {
    return this.parts.service.iq({ ...which, to }, request => {
      if (to === 'service') return answer(request);
      const room = this.parts.rooms.at(request.to);
      // whether there is one is nobody's business before it is made; the answer takes its own turn in the room's order
      return andThen(
        room.do(() => isThere(room, request.from)),
        there => (there ? answer(request) : NO_ROOM),
      );
    });
  }

  offer(commands: ServiceCommands): () => void {
    return this.parts.commands.offer(commands);
  }

  offerInRooms<P>({ place, commands }: RoomCommands<P>): () => void {
    return this.parts.commands.offerInRooms({ place: room => place(room.view), commands });
  }

  disco(disco: RoomsDisco): () => void {
    return this.parts.disco.add(disco);
  }
}
