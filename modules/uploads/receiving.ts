import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Mod, OptionsOf } from '../../src/api/index.ts';
import { COMMON, Refusal } from './answers.ts';
import { type Files, NoRoom, Unreachable } from './files.ts';
import { incoming } from './incoming.ts';
import { linger } from './linger.ts';
import { essence, isMediaType, shownAs, UNKNOWN } from './media-types.ts';
import { disposition } from './names.ts';
import type { options } from './options.ts';
import { KEPT, PENDING } from './schema.ts';
import { NEVER, type Upload, type UploadStore } from './store.ts';

/** Seconds that a slot stays behind the time of its upload, for the row that makes a file of it. */
const GRACE = 60;
const AGAIN = 30; // s
/** Before the end of a slot its upload is seen to go on: ms. */
const HELD = 5_000;

export interface ReceivingParts {
  readonly mod: Pick<Mod, 'log' | 'signal'>;
  readonly store: UploadStore;
  readonly files: Files;
  readonly options: (upload: Upload) => OptionsOf<typeof options>;
  /** An upload has come, or has not. */
  readonly done: (bytes: number) => void;
  readonly failed: () => void;
}

/** Takes uploads: the PUT of XEP-0363 7. A file is there when its row says so, and that is committed before the 201. */
export class Receiving {
  private readonly parts: ReceivingParts;
  /** Names of files that come now: each comes once. */
  private readonly coming = new Set<string>();

  constructor(parts: ReceivingParts) {
    this.parts = parts;
  }

  /** Uploads that are under way. */
  get size(): number {
    return this.coming.size;
  }

  /** Answers a PUT. */
  async receive(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    // what is written from here on is ours: an answer may leave before the body has come
    reply.hijack();
    const { raw: response } = reply;
    response.on('error', () => {});
    try {
      await this.take(request);
    } catch (error) {
      if (request.raw.destroyed && !request.raw.complete) return; // nobody is there to be told
      const refusal = error instanceof Refusal ? error : new Refusal(503, 'The file cannot be kept now.', AGAIN);
      if (refusal !== error) this.parts.mod.log.error({ err: error }, 'an upload failed');
      const body = refusal.body();
      const close = !request.raw.complete;
      response.writeHead(refusal.status, {
        ...refusal.headers(),
        'Content-Type': 'application/problem+json',
        'Content-Length': Buffer.byteLength(body),
        ...(close && { Connection: 'close' }),
      });
      response.write(body);
      await linger(request.raw);
      response.end();
      return;
    }
    response.writeHead(201, { ...COMMON, 'Cache-Control': 'no-store', 'Content-Length': 0 });
    response.end();
  }

  /** @throws a Refusal for what is said to the client */
  private async take(request: FastifyRequest): Promise<void> {
    const { store } = this.parts;
    const { id, '*': filename } = request.params as { id: string; '*': string };
    const slot = await store.slot(id);
    if (!slot || slot.filename !== filename) throw new Refusal(404, 'There is no such slot.');
    if (slot.state !== PENDING || this.coming.has(slot.name))
      throw new Refusal(409, slot.state === KEPT ? 'The file is there already.' : 'The file comes already.');
    if (slot.ends <= Date.now()) throw new Refusal(410, 'The time of this slot is over.');
    checkHead(request.raw, slot);
    this.coming.add(slot.name);
    try {
      await this.keep(request, slot);
      this.parts.done(slot.size);
    } catch (error) {
      this.parts.failed();
      throw error;
    } finally {
      this.coming.delete(slot.name);
    }
  }

  private async keep({ raw, headers }: FastifyRequest, slot: Upload): Promise<void> {
    const { store, files, mod } = this.parts;
    const { name, size } = slot;
    const { time, idle } = this.parts.options(slot);
    if (!(await files.hasRoom(size).catch(unreachable)))
      throw new Refusal(507, 'There is no room for the file.', AGAIN);
    const type = slot.type === '' ? typeOf(raw) : slot.type;
    const { type: shown, kind } = shownAs(type);
    const given = { type: shown, disposition: disposition(kind, slot.filename) };
    const signal = AbortSignal.any([mod.signal, AbortSignal.timeout(time * 1000)]);
    // a client that sends nothing for so long is cut
    raw.setTimeout(idle * 1000);
    const place = this.hold(slot, Date.now() + (time + GRACE) * 1000);
    try {
      // whatever becomes of the file, the client is there to be told of it
      await files.put(name, incoming(raw), size, given, signal);
      const stored = Date.now();
      const ends = Math.min(slot.expires, slot.keep === 0 ? NEVER : stored + slot.keep * 1000);
      if (!(await store.keep(name, { type, stored, ends }))) {
        // its account is gone
        await files.remove(name);
        throw new Refusal(410, 'The slot is gone.');
      }
    } catch (error) {
      // whoever was cut off may begin anew while the slot holds
      if (place.held) await store.extend(name, slot.ends).catch(() => {});
      throw this.explained(error, signal);
    } finally {
      clearTimeout(place.timer);
      raw.socket.setTimeout(0);
    }
    const [account, bytes, file] = [slot.owner, size, name.slice(0, 8)];
    mod.log.info({ account, bytes, file, agent: headers['user-agent']?.slice(0, 100) }, 'a file was uploaded');
  }

  /** Keeps the place of an upload in the quota of its owner, when it goes on for longer than its slot holds. */
  private hold({ name, ends }: Upload, until: number): { readonly timer: NodeJS.Timeout; held: boolean } {
    const { store, mod } = this.parts;
    const extend = (): void => {
      place.held = true;
      store.extend(name, until).catch((error: unknown) => mod.log.error({ err: error }, 'a slot could not be held'));
    };
    const place = { timer: setTimeout(extend, Math.max(0, ends - Date.now() - HELD)), held: false };
    return place;
  }

  private explained(error: unknown, stopped: AbortSignal): unknown {
    const { log, signal } = this.parts.mod;
    if (stopped.aborted)
      return signal.aborted
        ? new Refusal(503, 'The server stops.', AGAIN)
        : new Refusal(408, 'The upload took too long.');
    if (error instanceof NoRoom) {
      log.error({ err: error }, 'an upload was refused: there is no room where files are kept');
      return new Refusal(507, 'There is no room for the file.', AGAIN);
    }
    if (error instanceof Unreachable) {
      log.error({ err: error }, 'an upload was refused: where files are kept does not answer');
      return new Refusal(503, 'The file cannot be kept now.', AGAIN);
    }
    return error;
  }
}

function unreachable(error: unknown): never {
  throw error instanceof Unreachable ? new Refusal(503, 'The file cannot be kept now.', AGAIN) : error;
}

/** XEP-0363 7: what is said of the body has to be what was said when the slot was asked for. */
function checkHead({ headers }: IncomingMessage, { size, type }: Upload): void {
  const length = headers['content-length'];
  if (length === undefined) throw new Refusal(411, 'A Content-Length is needed.');
  if (Number(length) > size) throw new Refusal(413, `The slot is for ${size} bytes.`);
  if (Number(length) < size) throw new Refusal(400, `The slot is for ${size} bytes.`);
  // RFC 9110 14.5: a part must not be taken for the whole
  if (headers['content-range'] !== undefined) throw new Refusal(400, 'A file is uploaded as a whole.');
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new Refusal(415, 'Files are taken without an encoding.');
  const given = headers['content-type'];
  if (type !== '' && given !== undefined && essence(given) !== essence(type))
    throw new Refusal(415, `The slot is for ${type}.`);
}

/** XEP-0363 7: where nothing was said. */
function typeOf({ headers }: IncomingMessage): string {
  const given = headers['content-type'] ?? '';
  return isMediaType(given) ? given : UNKNOWN;
}
