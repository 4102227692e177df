import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Mod, OptionsOf } from '../../src/api/index.ts';
import { answerRefusal, COMMON, Refusal } from './answers.ts';
import { precondition, rangeCounts } from './conditions.ts';
import { type Body, type Files, Unreachable } from './files.ts';
import { shownAs } from './media-types.ts';
import { disposition } from './names.ts';
import type { options } from './options.ts';
import { readRange, type Span } from './ranges.ts';
import type { Upload, UploadStore } from './store.ts';

const AGAIN = 30; // s
const YEAR = 31_536_000; // s
/** A file that goes within so many ms is taken away from those who read it then. */
const SOON = 86_400_000;
/** Seconds that an address of another server holds. */
const LINK = 300;

export interface ServingParts {
  readonly mod: Pick<Mod, 'log'>;
  readonly store: UploadStore;
  readonly files: Files;
  readonly options: (upload: Upload) => OptionsOf<typeof options>;
  readonly done: (bytes: number) => void;
}

/** Gives files: GET and HEAD (RFC 9110), with ranges and conditions. */
export class Serving {
  private readonly parts: ServingParts;

  constructor(parts: ServingParts) {
    this.parts = parts;
  }

  async serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      return await this.give(request, reply);
    } catch (error) {
      if (error instanceof Refusal) return answerRefusal(reply, error);
      if (!(error instanceof Unreachable)) throw error;
      this.parts.mod.log.error({ err: error }, 'a download failed: where files are kept does not answer');
      return answerRefusal(reply, new Refusal(503, 'The file cannot be had now.', AGAIN));
    }
  }

  private async give({ raw, params }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { store, files, mod, done } = this.parts;
    const { id, '*': filename } = params as { id: string; '*': string };
    const file = await store.file(id, Date.now());
    if (!file || file.filename !== filename) throw new Refusal(404, 'There is no such file.');
    const etag = `"${id.slice(16)}"`;
    const modified = Math.floor(file.stored / 1000) * 1000;
    const left = file.ends - Date.now();
    const { type, kind } = shownAs(file.type);
    const given = { type, disposition: disposition(kind, filename) };
    const headers: Record<string, string | number> = {
      ...COMMON,
      'Accept-Ranges': 'bytes',
      // it never changes, and is gone when it is gone; its address is for those who have it
      'Cache-Control': `private, max-age=${Math.min(YEAR, Math.floor(left / 1000))}, immutable`,
      ETag: etag,
      'Last-Modified': new Date(modified).toUTCString(),
    };
    const failed = precondition(raw.headers, etag, modified);
    if (failed === 304) return reply.code(304).headers(headers).send();
    if (failed === 412) throw new Refusal(412, 'The file is another one.');
    const span = spanOf(raw.method, raw.headers, file.size, () => rangeCounts(raw.headers, etag, modified));
    if (span === 'none') {
      return answerRefusal(
        reply.header('Content-Range', `bytes */${file.size}`),
        new Refusal(416, `The file has ${file.size} bytes.`),
      );
    }
    if (raw.method === 'GET') {
      const link = await files.link(id, given, LINK);
      if (link !== undefined) {
        const cached = Math.min(LINK - 60, Math.floor(left / 1000));
        return reply.code(307).headers({ ...COMMON, 'Cache-Control': `private, max-age=${cached}`, Location: link }).send(); // prettier-ignore
      }
    }
    const { start, end } = span ?? { start: 0, end: file.size - 1 };
    headers['Content-Type'] = type;
    headers['Content-Disposition'] = given.disposition;
    headers['Content-Length'] = end - start + 1;
    if (span) headers['Content-Range'] = `bytes ${start}-${end}/${file.size}`;
    const status = span ? 206 : 200;
    if (raw.method === 'HEAD') return reply.code(status).headers(headers).send();
    const body = await files.get(id, span);
    if (!body) {
      mod.log.error({ file: id.slice(0, 8), account: file.owner }, 'a file is not where it was kept');
      throw new Refusal(404, 'There is no such file.');
    }
    done(end - start + 1);
    reply.hijack();
    await this.send(body, reply.raw, { status, headers, left, idle: this.parts.options(file).idle });
    return reply;
  }

  private async send(
    body: Body,
    response: FastifyReply['raw'],
    about: { status: number; headers: Record<string, string | number>; left: number; idle: number },
  ): Promise<void> {
    const { status, headers, left, idle } = about;
    response.on('error', () => {});
    // a client that reads nothing for so long is cut
    response.setTimeout(idle * 1000);
    // XEP-0363 5.3: what is ephemeral is not there when its time is over, also for somebody who has begun to read it
    const end = left > SOON ? undefined : setTimeout(() => response.destroy(), left).unref();
    try {
      response.writeHead(status, headers);
      await body.sendTo(response);
    } catch (error) {
      if (!response.destroyed) this.parts.mod.log.error({ err: error }, 'a download was broken off');
      response.destroy();
    } finally {
      clearTimeout(end);
    }
  }
}

/** The part that is asked for, if one is; only GET has ranges (RFC 9110 14.2). */
function spanOf(
  method: string | undefined,
  headers: FastifyRequest['headers'],
  size: number,
  counts: () => boolean,
): Span | 'none' | undefined {
  const { range } = headers;
  if (method !== 'GET' || range === undefined || !counts()) return undefined;
  const span = readRange(range, size);
  return span === 'all' ? undefined : span;
}
