/* Software version (XEP-0092) of the server. */
import os from 'node:os';
import { defineModule, defineOptions, option } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';

export default defineModule({
  name: 'version',
  doc: 'Tells which software this is.',
  xeps: [{ number: 92, version: '1.1' }],
  features: { host: [NS.version] },
  options: defineOptions({
    os: option.boolean({ default: false, doc: 'Whether the operating system is told too.', reload: 'live' }),
  }),
  setup(mod) {
    mod.iq({ xmlns: NS.version, name: 'query', type: 'get', to: 'host' }, request =>
      xml(
        'query',
        { xmlns: NS.version },
        xml('name', {}, 'Posthouse'),
        xml('version', {}, mod.node.version),
        mod.options(request.to.domain).os && xml('os', {}, `${os.type()} ${os.release()}`),
      ),
    );
  },
});
