import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time of a process with all its threads, in milliseconds. Summed from /proc/PID/task/*\/schedstat (nanoseconds);
 * where threads have come and gone meanwhile, utime and stime of /proc/PID/stat (10 ms steps) tell more and are taken.
 */
export function cpuTime(pid: number): number {
  let threads = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      threads += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
    } catch {
      // The thread ended between the two reads.
    }
  }
  const ticks = ticksOf(pid);
  return ticks - threads > 200 ? ticks : threads;
}

/** CPU time of a process with its threads and all its children, those that have ended included, in milliseconds. */
export function familyTime(pid: number): number {
  const fields = statOf(pid);
  // cutime and cstime: of children that were waited for
  let time = cpuTime(pid) + (Number(fields[13]) + Number(fields[14])) * 10;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
      for (const child of children === '' ? [] : children.split(' ')) time += familyTime(Number(child));
    } catch {
      // a thread or a child ended meanwhile
    }
  }
  return time;
}

/** Fields of /proc/PID/stat from the third on: the second may hold anything. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function ticksOf(pid: number): number {
  const fields = statOf(pid);
  // utime and stime are fields 14 and 15 of proc(5); a tick is 10 ms on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory of a process in KB. */
export function residentMemory(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const rss = /^Rss:\s+(\d+) kB/m.exec(rollup)?.[1];
  if (!rss) throw new Error(`no Rss in /proc/${pid}/smaps_rollup`);
  return Number(rss);
}

/** The same in a cheap and coarser way: reading smaps_rollup many times a second would hold up the process itself. */
export function roughMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}
