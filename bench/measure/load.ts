import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type {
  BegunEvent,
  ChatEvent,
  Command,
  LoadEvent,
  LoginsEvent,
  OpenEvent,
  ReconnectsEvent,
} from '../load/events.ts';
import type { Mechanism } from '../load/client.ts';
import { Started } from './process.ts';

export interface LoadPlan {
  readonly protocol?: 'xmpp' | 'floor';
  readonly port: number;
  readonly tls?: boolean;
  readonly sessions: number;
  readonly window?: number;
  readonly every?: number;
  readonly prefix?: string;
  /** Accounts to take turns in logins; as many as sessions when absent. */
  readonly accounts?: number;
  readonly register?: boolean;
  readonly manage?: boolean;
  readonly mechanism?: Mechanism;
  readonly from?: string;
  /** All enter this room, and talk there instead of in pairs. */
  readonly room?: string;
  readonly width?: number;
  /** The server process, whose CPU is counted. */
  readonly pid?: number;
  /** Of the database behind it, whose CPU is counted too. */
  readonly databasePid?: number | undefined;
}

/** A running load generator (load/main.ts), its sessions open. */
export class Load {
  readonly open: OpenEvent;
  private readonly process: Started;
  private readonly lines: AsyncIterator<string>;

  private constructor(started: Started, lines: AsyncIterator<string>, open: OpenEvent) {
    this.process = started;
    this.lines = lines;
    this.open = open;
  }

  static async start(plan: LoadPlan): Promise<Load> {
    const flags = {
      port: plan.port,
      protocol: plan.protocol ?? 'xmpp',
      sessions: plan.sessions,
      window: plan.window ?? 1,
      every: plan.every ?? 0,
      prefix: plan.prefix ?? 'bench',
      accounts: plan.accounts ?? 0,
      mechanism: plan.mechanism ?? 'PLAIN',
      width: plan.width ?? 16,
      pid: plan.pid ?? 0,
      'database-pid': plan.databasePid ?? 0,
      room: plan.room,
      from: plan.from,
    };
    const args = [join(import.meta.dirname, '../load/main.ts'), '--control'];
    for (const [name, value] of Object.entries(flags)) if (value !== undefined) args.push(`--${name}`, String(value));
    if (plan.tls) args.push('--tls');
    if (plan.register) args.push('--register');
    if (plan.manage) args.push('--sm');
    const started = new Started({ command: process.execPath, args, core: 1 });
    const lines = createInterface({ input: started.child.stdout! })[Symbol.asyncIterator]();
    return new Load(started, lines, await next<OpenEvent>(lines));
  }

  chat(seconds: number, warm: number, window?: number): Promise<ChatEvent> {
    return this.command<ChatEvent>({ do: 'chat', seconds, warm, window });
  }

  /** Chats at a pace instead of a closed loop. */
  paced(seconds: number, warm: number, perSecond: number): Promise<ChatEvent> {
    return this.command<ChatEvent>({ do: 'chat', seconds, warm, perSecond });
  }

  /** Chats until `end`. */
  async begin(warm: number): Promise<void> {
    await this.command<BegunEvent>({ do: 'begin', warm });
  }

  end(): Promise<ChatEvent> {
    return this.command<ChatEvent>({ do: 'end' });
  }

  logins(count: number, mechanism: Mechanism, width?: number): Promise<LoginsEvent> {
    return this.command<LoginsEvent>({ do: 'logins', count, mechanism, width });
  }

  reconnects(count: number, rounds: number, width?: number): Promise<ReconnectsEvent> {
    return this.command<ReconnectsEvent>({ do: 'reconnects', count, rounds, width });
  }

  async quit(): Promise<void> {
    this.process.child.stdin!.write('{"do":"quit"}\n');
    const timer = setTimeout(() => this.process.signal('SIGKILL'), 5_000);
    await this.process.exited;
    clearTimeout(timer);
  }

  private command<T extends LoadEvent>(command: Command): Promise<T> {
    this.process.child.stdin!.write(`${JSON.stringify(command)}\n`);
    return next<T>(this.lines);
  }
}

async function next<T extends LoadEvent>(lines: AsyncIterator<string>): Promise<T> {
  const line = await lines.next();
  if (line.done) throw new Error('the load generator ended');
  const event = JSON.parse(line.value) as LoadEvent;
  if (event.event === 'failed') throw new Error(event.reason);
  return event as T;
}
