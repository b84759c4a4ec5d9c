import { readFileSync } from 'node:fs';

/** CPU seconds (user + system) a process has used so far, from /proc. Linux only. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  // After the name: field 12 is utime, 13 stime, in clock ticks of 1/100 s on every Linux Node runs on.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident bytes of a process. Linux only. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return match === null ? 0 : Number(match[1]) * 1024;
}

export function percentile(sorted: readonly number[], fraction: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))]!;
}
