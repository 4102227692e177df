/* Entity time (XEP-0202) of the server. */
import { defineModule } from '../../src/api/index.ts';
import { xml } from '../../src/xml/index.ts';

const TIME = 'urn:xmpp:time';

export default defineModule({
  name: 'time',
  doc: 'Tells the time.',
  xeps: [{ number: 202, version: '2.0' }],
  features: { host: [TIME] },
  setup(mod) {
    mod.iq({ xmlns: TIME, name: 'time', type: 'get', to: 'host' }, () => {
      const now = new Date();
      return xml(
        'time',
        { xmlns: TIME },
        xml('tzo', {}, zone(-now.getTimezoneOffset())),
        xml('utc', {}, `${now.toISOString().slice(0, 19)}Z`),
      );
    });
  },
});

/** Minutes east of UTC in the form of XEP-0082 3.2. */
export function zone(minutes: number): string {
  if (minutes === 0) return 'Z';
  const absolute = Math.abs(minutes);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}
