/**
 * Loaded into Node servers (ours and the floor alike) for the memory rows by `NODE_OPTIONS=--import`: on SIGUSR2 a full
 * collection, so that memory in use can be told from memory not yet given back.
 */
const collect = (globalThis as { gc?: (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void })
  .gc;
if (collect) process.on('SIGUSR2', () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' }));
