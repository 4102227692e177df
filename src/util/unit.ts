/** Told when a unit is settled: `error` is the StorageError that it met, or undefined. */
export interface UnitListener {
  unitSettled(unit: Unit, error: unknown): void;
}

/** A record, as it is when it is written. */
export interface Note {
  /** What it is about, if that is markup: the next one may refer to it. */
  readonly wire?: string;
  /** A wire string. `before`: the markup that the note before it in the same unit is about. */
  record(before: string | undefined): string;
}

/**
 * A unit of work: everything that one stanza causes before anything is waited for. Its rows are committed in one transaction, and what
 * it puts into outboxes is written to sockets behind that. So whatever happens, either all of it was or nothing.
 */
export class Unit {
  /** What it adds to the journal of sessions (src/session/journal.ts). */
  notes: Note[] | undefined;
  /** Whether what it sends must not go out without its rows: where they cannot be written it is withdrawn. */
  required = false;
  /** Whether its sender has to wait until it is settled before the next is taken: the disk does not keep up. */
  slow = false;
  /** Whether the transaction with its rows is being written. */
  writing = false;
  /** What has to be waited for as well, since it could not be committed. */
  further: Promise<unknown> | undefined;
  private settled = false;
  private rows = 0;
  private failure: unknown;
  /** As a rule there is one, or two. */
  private first: UnitListener | undefined;
  private others: UnitListener[] | undefined;

  /** Whether anything of it waits to be committed, or more may come. */
  get pending(): boolean {
    return !this.settled;
  }

  get hasRows(): boolean {
    return this.rows > 0;
  }

  note(note: Note): void {
    (this.notes ??= []).push(note);
  }

  whenSettled(listener: UnitListener): void {
    if (this.settled) listener.unitSettled(this, this.failure);
    else if (!this.first) this.first = listener;
    else (this.others ??= []).push(listener);
  }

  /** Resolved when it is settled, in whichever way. */
  done(): Promise<void> {
    return new Promise(resolve => this.whenSettled({ unitSettled: () => resolve() }));
  }

  /** Resolved when it is committed, or what takes its place has happened. */
  async safe(): Promise<void> {
    await this.done();
    await this.further;
  }

  /** A row of it was queued for the database. */
  added(): void {
    this.rows++;
  }

  /** A row of it could not even be queued. */
  spoil(error: unknown): void {
    this.failure ??= error;
  }

  /** Nothing is added to it any more. */
  close(): void {
    if (this.rows === 0) this.settle();
  }

  /** The transaction that all of its rows were in is committed, or failed. */
  settle(error?: unknown): void {
    if (this.settled) return;
    this.failure ??= error;
    this.writing = false;
    this.settled = true;
    const { first, others } = this;
    this.first = this.others = undefined;
    first?.unitSettled(this, this.failure);
    if (others) for (const listener of others) listener.unitSettled(this, this.failure);
  }
}

let current: Unit | undefined;

/** The unit that what happens at this moment belongs to. */
export function currentUnit(): Unit | undefined {
  return current;
}

/** What happens from now on belongs to the unit, until `leaveUnit` is called in the same go. Returns what `leaveUnit` wants. */
export function enterUnit(unit: Unit): Unit | undefined {
  const outer = current;
  current = unit;
  return outer;
}

export function leaveUnit(outer: Unit | undefined): void {
  current = outer;
}

/** Runs the work as part of the unit. */
export function inUnit<T>(unit: Unit, work: () => T): T {
  const outer = enterUnit(unit);
  try {
    return work();
  } finally {
    leaveUnit(outer);
  }
}
