/* A module on trial: it has stanzas wait that ask for it, `<sleep xmlns='urn:test:sleep'>50</sleep>`, in milliseconds. */
import { defineModule } from '../../../src/api/index.ts';

const SLEEP = 'urn:test:sleep';

export default defineModule({
  name: 'sleepy',
  doc: 'Has stanzas wait.',
  setup(mod) {
    mod.on('received', 'work', {}, packet => {
      const child = packet.child('sleep', SLEEP);
      if (child === undefined) return undefined;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      setTimeout(() => resolve(undefined), Number(packet.stanza.text(child)));
      return promise;
    });
  },
});
