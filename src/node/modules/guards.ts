import type {
  Administrators,
  BeforeLoginIq,
  BindFeature,
  Collections,
  DiscoAccountItems,
  DiscoEntry,
  DiscoItem,
  DiscoNode,
  DomainRoute,
  Gauge,
  HttpRoutes,
  ListenerProtocol,
  Portable,
  StreamFeature,
} from '../../api/collections.ts';
import type { Command } from '../../api/command.ts';
import type { StreamHandler } from '../../api/connection.ts';
import type { NodeView } from '../../api/node-view.ts';
import { type ModuleOperation, NotDone } from '../../api/operation.ts';
import { type Answer, Empty, Markup } from '../../bus/index.ts';
import { StanzaError } from '../../protocol/index.ts';
import type { Element } from '../../xml/index.ts';
import { ANSWER, type Failures } from './failures.ts';
import { within } from './within.ts';

type Items = { [K in keyof Collections]: Collections[K] extends { items(): Iterable<infer T> } ? T : never };

/**
 * Calls what a module gave into a collection so that its failures stay its own: they are noted in its name, and whoever asked gets
 * what stands for nothing, or an error to pass on.
 */
export class Guards {
  private readonly owner: string;
  private readonly failures: Failures;
  private readonly node: NodeView;

  constructor(owner: string, failures: Failures, node: NodeView) {
    this.owner = owner;
    this.failures = failures;
    this.node = node;
  }

  /** The item as it stands in the collection: itself, but for the functions that a failure could come from. */
  item<K extends keyof Items>(collection: K, item: Items[K]): Items[K] {
    const guard = this[collection] as unknown as (item: Items[K]) => Partial<Items[K]>;
    return Object.assign(Object.create(item as object) as Items[K], guard.call(this, item));
  }

  private note(point: string, error: unknown): void {
    this.failures.note(this.owner, point, error);
  }

  private quietly<T>(point: string, call: () => T, otherwise: T): T {
    try {
      return call();
    } catch (error) {
      this.note(point, error);
      return otherwise;
    }
  }

  /** What a request is answered, at once or later: a refusal when that fails, takes too long, or is no answer. */
  private answer<T>(point: string, call: () => T | Promise<T>, isOne: (value: T) => boolean): T | Promise<T> {
    const refused = (error: unknown): T => {
      this.note(point, error);
      // every answer may be a refusal
      return this.failures.refusal(error) as T;
    };
    const checked = (value: T): T => {
      if (value instanceof StanzaError || isOne(value)) return value;
      throw new TypeError(`${describe(value)} is no answer`);
    };
    try {
      const given = call();
      if (!(given instanceof Promise)) return checked(given);
      return within(given, ANSWER, `no answer within ${ANSWER} ms`).then(checked).catch(refused);
    } catch (error) {
      return refused(error);
    }
  }

  private element(point: string, call: () => Element | undefined): Element | undefined {
    return this.quietly(
      point,
      () => {
        const value = call();
        if (value === undefined || isElement(value)) return value;
        throw new TypeError(`${describe(value)} is no element`);
      },
      undefined,
    );
  }

  disco(item: DiscoEntry): Partial<DiscoEntry> {
    const point = `disco ${item.of}`;
    return {
      ...(item.form && { form: host => this.element(point, () => item.form!(host)) }),
      ...(item.when && { when: host => this.quietly(point, () => item.when!(host), false) }),
    };
  }

  discoItems(item: DiscoItem): Partial<DiscoItem> {
    const visible: DiscoItem['visible'] = (to, host) =>
      this.quietly(
        'disco items',
        () => typeof item.jid(host) === 'string' && (item.visible?.(to, host) ?? true),
        false,
      );
    return { visible };
  }

  discoNodes(item: DiscoNode): Partial<DiscoNode> {
    const isOne = (value: unknown): boolean => value === undefined || isElement(value);
    return {
      info: request => this.answer(`disco node ${item.node}`, () => item.info?.(request), isOne),
      items: request => this.answer(`disco node ${item.node}`, () => item.items?.(request), isOne),
    };
  }

  discoAccountItems(item: DiscoAccountItems): Partial<DiscoAccountItems> {
    const isList = (value: unknown): boolean => Array.isArray(value) && value.every(isElement);
    return { items: request => this.answer('disco items of accounts', () => item.items(request), isList) };
  }

  streamFeatures(item: StreamFeature): Partial<StreamFeature> {
    return { feature: (host, stream) => this.element('stream features', () => item.feature(host, stream)) };
  }

  bindFeatures(item: BindFeature): Partial<BindFeature> {
    const point = `bind ${item.xmlns}`;
    const checked = (value: Element | undefined): Element | undefined => {
      if (value === undefined || isElement(value)) return value;
      throw new TypeError(`${describe(value)} is no element`);
    };
    const nothing = (error: unknown): undefined => this.note(point, error) as undefined;
    return {
      ...(item.when && { when: host => this.quietly(point, () => item.when!(host), false) }),
      bound: (session, request) => {
        try {
          const given = item.bound(session, request);
          if (!(given instanceof Promise)) return checked(given);
          return within(given, ANSWER, `not done within ${ANSWER} ms`).then(checked).catch(nothing);
        } catch (error) {
          return nothing(error);
        }
      },
    };
  }

  beforeLogin(item: BeforeLoginIq): Partial<BeforeLoginIq> {
    return { answer: request => this.answer(`before login ${item.xmlns}`, () => item.answer(request), isAnswer) };
  }

  /** Nothing stands for what could not be exported or taken in: the operator is told, and the module's name is noted. */
  portable(item: Portable): Partial<Portable> {
    const noted = async <T>(step: string, call: () => T | Promise<T>): Promise<T> => {
      try {
        return await call();
      } catch (error) {
        this.note(`${step} of ${item.name}`, error);
        throw error;
      }
    };
    return {
      export: (account, after) => noted('export', () => item.export(account, after)),
      import: (account, entry, place) => noted('import', () => item.import(account, entry, place)),
    };
  }

  commands(item: Command): Partial<Command> {
    const isOne = (value: unknown): boolean =>
      typeof value === 'object' && value !== null && ('done' in value || ('form' in value && isElement(value.form)));
    return { run: request => this.answer(`command ${item.node}`, () => item.run(request), isOne) };
  }

  domains(item: DomainRoute): Partial<DomainRoute> {
    const point = 'a domain';
    return {
      serves: domain => this.quietly(point, () => item.serves(domain), false),
      receive: packet => {
        const failed = (error: unknown): void => {
          this.failures.note(this.owner, point, error, packet);
          this.node.bounce(packet, this.failures.refusal(error));
        };
        try {
          const waiting = item.receive(packet);
          if (waiting instanceof Promise) return within(waiting, ANSWER, `not done within ${ANSWER} ms`).catch(failed);
        } catch (error) {
          failed(error);
        }
        return undefined;
      },
    };
  }

  http(item: HttpRoutes): Partial<HttpRoutes> {
    return {
      register: async app => {
        try {
          await item.register(app);
        } catch (error) {
          this.note('http', error);
        }
      },
    };
  }

  listeners(item: ListenerProtocol): Partial<ListenerProtocol> {
    return {
      accept: connection => {
        const fail = (error: unknown): void => {
          this.note(`listener ${item.type}`, error);
          connection.destroy();
        };
        let handler: StreamHandler | undefined;
        const safely = (call: (handler: StreamHandler) => void): void => {
          try {
            if (handler) call(handler);
          } catch (error) {
            fail(error);
          }
        };
        try {
          handler = item.accept(connection);
        } catch (error) {
          fail(error);
        }
        return {
          onBytes: (bytes, start, end) => safely(one => one.onBytes(bytes, start, end)),
          onDrain: () => safely(one => one.onDrain()),
          onSecured: () => safely(one => one.onSecured?.()),
          onDisconnect: () => safely(one => one.onDisconnect()),
        };
      },
    };
  }

  gauges(item: Gauge): Partial<Gauge> {
    return { read: () => this.quietly(`figure ${item.name}`, () => item.read(), []) };
  }

  operations(item: ModuleOperation): Partial<ModuleOperation> {
    return {
      run: async args => {
        try {
          return await item.run(args);
        } catch (error) {
          if (!(error instanceof NotDone)) this.note(`operation ${item.name}`, error);
          throw error;
        }
      },
    };
  }

  administrators(item: Administrators): Partial<Administrators> {
    return { of: host => this.quietly('administrators', () => item.of(host), []) };
  }
}

/** Whether that is what an IQ handler may return. */
export function isAnswer(value: unknown): value is Answer {
  return value === Empty || value instanceof StanzaError || value instanceof Markup || isElement(value);
}

/** An element of any copy of the XML library: modules may bring their own. */
function isElement(value: unknown): value is Element {
  if (typeof value !== 'object' || value === null) return false;
  const { name, attrs, children } = value as Partial<Element>;
  return typeof name === 'string' && typeof attrs === 'object' && Array.isArray(children);
}

export function describe(value: unknown): string {
  return value === undefined ? 'nothing' : typeof value === 'object' && value !== null ? 'an object' : String(value);
}
