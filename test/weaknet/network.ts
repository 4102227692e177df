import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../crash/random.ts';

/** `up`: from the client to the server. */
type Direction = 'up' | 'down';

/** What a weak network does to a connection. */
export const HARMS = {
  cut: 'both sides see a reset',
  truncate: 'the next bytes of one direction come in part, then both sides see a reset',
  close: 'both sides see an end',
  'half-close': 'one side sees an end, the other nothing for a while',
  stall: 'one direction stands still for a while, then goes on',
  'stall-and-cut': 'one direction stands still, then both sides see a reset',
  late: "the client sees a reset, the server nothing; the client's last bytes reach it later, when the client may be back",
  delay: 'every byte takes a while from now on',
} as const;

export type Harm = keyof typeof HARMS;

/** Those after which the client has to come again. */
export const BREAKS: readonly Harm[] = ['cut', 'truncate', 'close', 'half-close', 'stall-and-cut', 'late'];

/** One direction of a connection. Bytes wait in it while it stands still, and their time while it is slow. */
class Lane {
  private readonly to: Socket;
  private readonly queue: { readonly bytes: Buffer; readonly due: number }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private still = false;
  private ended = false;
  /** ms that bytes take. */
  latency = 0;
  /** What to do with the next bytes instead of writing them. */
  private instead: ((bytes: Buffer) => void) | undefined;

  constructor(from: Socket, to: Socket) {
    this.to = to;
    from.on('data', bytes => {
      this.queue.push({ bytes, due: performance.now() + this.latency });
      this.move();
    });
    from.on('end', () => {
      this.ended = true;
      this.move();
    });
  }

  hold(): void {
    this.still = true;
  }

  release(): void {
    this.still = false;
    this.move();
  }

  /** The next bytes go to a function, and nothing behind them anywhere. */
  take(instead: (bytes: Buffer) => void): void {
    this.instead = instead;
  }

  /** Writes what waits, and ends. */
  finish(): void {
    this.latency = 0;
    for (const { bytes } of this.queue.splice(0)) this.write(bytes);
    if (!this.to.destroyed) this.to.end();
  }

  private move(): void {
    clearTimeout(this.timer);
    if (this.still) return;
    while (this.queue[0] && this.queue[0].due <= performance.now()) {
      const { bytes } = this.queue.shift()!;
      const { instead } = this;
      if (instead) {
        // nothing comes behind what was cut off
        this.still = true;
        instead(bytes);
        return;
      }
      this.write(bytes);
    }
    if (this.queue[0]) this.timer = setTimeout(() => this.move(), this.queue[0].due - performance.now() + 1);
    else if (this.ended && !this.to.destroyed) this.to.end();
  }

  private write(bytes: Buffer): void {
    if (!this.to.destroyed && this.to.writable) this.to.write(bytes);
  }
}

/** A connection through the network. */
class Line {
  private readonly near: Socket;
  private readonly far: Socket;
  private readonly lanes: Readonly<Record<Direction, Lane>>;
  /** Whether it has come to harm that will end it. */
  doomed = false;

  constructor(near: Socket, far: Socket, gone: () => void) {
    this.near = near;
    this.far = far;
    this.lanes = { up: new Lane(near, far), down: new Lane(far, near) };
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        if (near.destroyed && far.destroyed) gone();
      });
    }
    // unless harm was done to it, what happens to one side happens to the other
    near.on('close', () => this.doomed || far.destroy());
    far.on('close', () => this.doomed || near.destroy());
  }

  reset(): void {
    this.doomed = true;
    for (const socket of [this.near, this.far]) if (!socket.destroyed) socket.resetAndDestroy();
  }

  harm(harm: Harm, random: Random): void {
    const direction = random.pick<Direction>(['up', 'down']);
    const lane = this.lanes[direction];
    const while_ = random.between(20, 250);
    const later = (act: () => void): void => void setTimeout(act, while_).unref();
    if (BREAKS.includes(harm)) this.doomed = true;
    switch (harm) {
      case 'cut':
        this.reset();
        return;
      case 'truncate': {
        const [to] = direction === 'up' ? [this.far] : [this.near];
        lane.take(bytes => {
          // what was written last has to get through before the reset
          to.write(bytes.subarray(0, random.between(0, bytes.length - 1)));
          setTimeout(() => this.reset(), 5).unref();
        });
        // a line on which nothing comes breaks all the same
        later(() => this.reset());
        return;
      }
      case 'close':
        this.near.end();
        this.far.end();
        later(() => this.reset());
        return;
      case 'half-close':
        (direction === 'up' ? this.far : this.near).end();
        later(() => this.reset());
        return;
      case 'stall':
        lane.hold();
        later(() => lane.release());
        return;
      case 'stall-and-cut':
        lane.hold();
        later(() => this.reset());
        return;
      case 'late':
        this.lanes.up.hold();
        later(() => {
          this.near.resetAndDestroy();
          later(() => {
            this.lanes.up.finish();
            later(() => this.far.destroy());
          });
        });
        return;
      case 'delay':
        for (const each of Object.values(this.lanes)) each.latency = random.between(1, 60);
    }
  }
}

/** A network between clients and a server, with a port of its own that clients connect to. */
export class WeakNetwork {
  readonly port: number;
  private readonly server: Server;
  private readonly lines: Set<Line>;
  private readonly random: Random;
  /** How often each harm was done. */
  readonly done = new Map<Harm, number>();

  private constructor(server: Server, lines: Set<Line>, port: number, random: Random) {
    this.server = server;
    this.lines = lines;
    this.port = port;
    this.random = random;
  }

  /** `port`: the server's. */
  static async to(port: number, random: Random): Promise<WeakNetwork> {
    const lines = new Set<Line>();
    const server = createServer({ allowHalfOpen: true }, near => {
      const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      const line = new Line(near, far, () => lines.delete(line));
      lines.add(line);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WeakNetwork(server, lines, (server.address() as { port: number }).port, random);
  }

  /** Does it to one of the connections that are whole; false when none is. */
  harm(harm: Harm): boolean {
    const whole = [...this.lines].filter(({ doomed }) => !doomed);
    if (whole.length === 0) return false;
    this.random.pick(whole).harm(harm, this.random);
    this.done.set(harm, (this.done.get(harm) ?? 0) + 1);
    return true;
  }

  /** Breaks that were done. */
  get breaks(): number {
    return BREAKS.reduce((sum, harm) => sum + (this.done.get(harm) ?? 0), 0);
  }

  async remove(): Promise<void> {
    for (const line of this.lines) line.reset();
    this.server.close();
    await once(this.server, 'close');
  }
}
