import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { inParallel } from '../load/client.ts';
import { Wire } from '../load/wire.ts';
import { round } from '../result.ts';
import type { Server } from '../targets/target.ts';
import { beside, onEach, pairCells, pairClaim, pairColumns } from './beside.ts';

const CONNECTIONS = 50;

export const attributesRow: Row = {
  name: 'attributes',
  title: `Rough: ${CONNECTIONS} endless attributes before login`,
  run: attributes,
};

async function attributes(context: Context): Promise<Outcome> {
  const patience = context.quick ? 5 : 12;
  const results = await onEach(context, true, server => beside(context, server, () => pour(server, patience)));
  const ours = results.find(({ name }) => name === 'posthouse')?.result;
  return {
    claims: [
      {
        what: `Seconds until ${CONNECTIONS} endless attributes are closed (${patience}: some never were)`,
        unit: 's',
        target: 'closed, in bounded memory',
        values: Object.fromEntries(results.map(({ name, result }) => [name, round(result.result.seconds)])),
        met: ours && ours.result.open === 0 && ours.growth < 64,
      },
      pairClaim(results, 'endless attributes'),
    ],
    tables: [
      {
        caption: `${CONNECTIONS} connections, at most ${patience} s`,
        columns: [
          '',
          'still open',
          's until the last was closed',
          'with a stream error',
          'KB taken from each',
          'growth MB',
          ...pairColumns,
        ],
        lines: results.map(({ name, result: { result, growth, pair } }) => [
          name,
          result.open,
          round(result.seconds),
          result.errors,
          round(result.taken / 1024 / CONNECTIONS),
          round(growth),
          ...pairCells(pair),
        ]),
      },
    ],
    notes: [
      'Half of them write a stream header with attributes without end, half one attribute value without end, as fast as the server takes it.',
    ],
  };
}

async function pour(
  server: Server,
  patience: number,
): Promise<{ open: number; seconds: number; errors: number; taken: number }> {
  const address = { host: '127.0.0.1', port: server.port, tls: false, from: '127.0.0.3' };
  const began = performance.now();
  let lastClose = began;
  let open = CONNECTIONS;
  const answered = new Set<Wire>();
  const wires = await inParallel(CONNECTIONS, CONNECTIONS, async () => {
    const wire = await Wire.open(address);
    wire.onClose = () => {
      open--;
      lastClose = performance.now();
    };
    wire.onText = text => {
      if (text.includes('stream:error')) answered.add(wire);
    };
    wire.write(`<?xml version='1.0'?><stream:stream to='localhost' x='`);
    return wire;
  });
  const value = 'y'.repeat(16384);
  let more = 0;
  while (open > 0 && performance.now() - began < patience * 1000) {
    wires.forEach((wire, i) => {
      if (wire.closed || !wire.socket.writable || wire.socket.writableLength > 0) return;
      wire.write(i % 2 ? value : Array.from({ length: 1000 }, () => `' a${more++}='y`).join(''));
    });
    await sleep(1);
  }
  const left = open;
  const taken = wires.reduce((all, { socket }) => all + socket.bytesWritten - socket.writableLength, 0);
  for (const wire of wires) wire.cut();
  return { open: left, seconds: left > 0 ? patience : (lastClose - began) / 1000, errors: answered.size, taken };
}
