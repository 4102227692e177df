import type { LoadedConfig } from '../../node/config/index.ts';
import type { Add } from './finding.ts';

/** Types of listeners whose protocol is a module's. */
const MODULES = { component: 'component', socks5: 'bytestreams' };

/** Whether modules that speak a protocol of their own and the listeners for it are there together. */
export function checkProtocols(config: LoadedConfig, add: Add): void {
  const { listeners, modules } = config.values;
  for (const [type, module] of Object.entries(MODULES)) {
    const own = Object.entries(listeners).filter(([, listener]) => listener.type === type);
    const on = modules[module] !== undefined;
    if (on && own.length === 0)
      add('hint', `module ${module}`, `nobody reaches it: it needs a listener of type ${type} under 'listeners'`);
    if (!on) {
      for (const [name] of own)
        add('hint', `listener ${name}`, `who connects is sent away: it needs the module ${module} under 'modules'`);
    }
  }
  // XEP-0065: clients are told a port
  const told = modules.bytestreams?.port;
  const socks = Object.values(listeners).filter(({ type }) => type === 'socks5');
  if (told !== undefined && socks.length > 0 && !socks.some(({ port }) => port === told)) {
    const text = `clients are told port ${String(told)}, and the listener has ${socks[0]!.port}: right only where a router passes it on`;
    add('hint', 'module bytestreams', text);
  }
}
