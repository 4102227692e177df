/* A command of two stages that everybody may run, for commands.test.ts. */
import { defineModule } from '../../src/api/index.ts';
import { xml } from '../../src/xml/index.ts';

export default defineModule({
  name: 'order',
  doc: 'Takes orders for wine.',
  needs: ['commands'],
  setup(mod) {
    const form = (name: string, value = '') =>
      xml(
        'x',
        { xmlns: 'jabber:x:data', type: 'form' },
        xml('field', { var: name, type: 'text-single' }, xml('value', {}, value)),
      );
    mod.add('commands', {
      node: 'order',
      name: 'Order wine',
      access: 'user',
      run: ({ action, values, state }) => {
        const wine = values?.get('wine')?.[0];
        if (wine !== undefined) state.set('wine', wine);
        if (action === 'execute' || action === 'prev')
          return { form: form('wine', state.get('wine') as string | undefined), actions: ['next'] };
        if (action === 'next') return { form: form('glasses'), actions: ['prev', 'complete'] };
        const glasses = values?.get('glasses')?.[0] ?? 'no';
        return {
          done: true,
          note: { type: 'info', text: `${glasses} glasses of ${state.get('wine') as string} (${action})` },
        };
      },
    });
  },
});
