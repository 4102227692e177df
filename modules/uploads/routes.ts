import type { HttpRoutes } from '../../src/api/index.ts';
import { answerRefusal, PATH, PREFLIGHT, Refusal } from './answers.ts';
import type { Receiving } from './receiving.ts';
import type { Serving } from './serving.ts';

/** Any file, or slot; what is behind the slash is its name. */
const URL = `${PATH}/:id/*`;

/** What is answered below /upload, to the world and to a proxy on this machine. */
export function routes(receiving: Receiving, serving: Serving): HttpRoutes {
  return {
    on: 'both',
    register: app =>
      void app.register(async scope => {
        // a body is whatever it is, and streamed
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
        scope.put(URL, { config: { slowBody: true } }, (request, reply) => receiving.receive(request, reply));
        scope.route({
          method: ['GET', 'HEAD'],
          url: URL,
          exposeHeadRoute: false,
          handler: (request, reply) => serving.serve(request, reply),
        });
        scope.options(URL, async (_request, reply) => reply.code(204).headers(PREFLIGHT).send());
        scope.route({
          method: ['DELETE', 'PATCH', 'POST'],
          url: URL,
          handler: async (_request, reply) => answerRefusal(reply, new Refusal(405, 'Files are uploaded with PUT.')),
        });
      }),
  };
}
