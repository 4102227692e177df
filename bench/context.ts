import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Load, type LoadPlan } from './measure/load.ts';
import type { RowResult } from './result.ts';
import { floor } from './targets/floor.ts';
import { posthouse } from './targets/posthouse.ts';
import type { Server, StartOptions, Target } from './targets/target.ts';

export type Outcome = Omit<RowResult, 'row' | 'title' | 'ran'>;

export interface Row {
  readonly name: string;
  readonly title: string;
  run(context: Context): Promise<Outcome>;
}

/** What all rows of one run share: the programs to measure, a folder, and which accounts were made already. */
export class Context {
  readonly folder: string;
  readonly quick: boolean;
  readonly window: number;
  readonly peers: readonly Target[];
  /** Why a program could not be measured, for the notes of the row. */
  readonly notes: string[] = [];
  private readonly prepared = new Map<string, number>();

  constructor(options: { folder: string; quick: boolean; window: number; peers: readonly Target[] }) {
    this.folder = options.folder;
    this.quick = options.quick;
    this.window = options.window;
    this.peers = options.peers;
  }

  /** XMPP servers to measure: ours first. */
  get servers(): readonly Target[] {
    return [posthouse, ...this.peers];
  }

  /** Starts a program on its folder; undefined, and a note, when it does not come up. */
  async start(target: Target, options: Partial<StartOptions> = {}): Promise<Server | undefined> {
    const kind = options.guarded ? '-guarded' : options.archived ? '-archived' : options.searched ? '-searched' : '';
    const folder = options.folder ?? join(this.folder, target.name + kind);
    mkdirSync(folder, { recursive: true });
    try {
      return await target.start({ ...options, folder });
    } catch (error) {
      this.note(`${target.name} was not measured: ${(error as Error).message}`);
      return undefined;
    }
  }

  startFloor(tls: boolean, options: Omit<StartOptions, 'folder'> = {}): Promise<Server | undefined> {
    return this.start(floor(tls), options);
  }

  /** Makes the accounts bench0 ... that a row needs, once for each server's folder, which `kind` names. */
  async accounts(server: Server, count: number, kind = 'lean'): Promise<void> {
    const { target, port } = server;
    const key = `${target.name} ${kind}`;
    if (target.protocol === 'floor' || (this.prepared.get(key) ?? 0) >= count) return;
    const load = await Load.start({ port, sessions: count, register: true, width: 8 });
    await load.quit();
    this.prepared.set(key, count);
  }

  load(server: Server, plan: Omit<LoadPlan, 'port' | 'protocol'>): Promise<Load> {
    const { target, port, tlsPort, pid } = server;
    return Load.start({ pid, ...plan, port: plan.tls ? tlsPort : port, protocol: target.protocol });
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
    console.error(`  ${text}`);
  }
}
