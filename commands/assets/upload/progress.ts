import type { Output } from '../../output/output.ts';

const everyMs = 100;
const barWidth = 24;

/** Shows how far an upload is: a bar that moves on a terminal, a line at each quarter elsewhere. */
export function uploadProgress(output: Output, label: string, total: number | undefined): (sent: number) => void {
  const startedAt = performance.now();
  let shownAt = Number.NEGATIVE_INFINITY;
  let quarter = 0;
  let begun: number | undefined;
  return (sent) => {
    begun ??= sent;
    const now = performance.now();
    const done = total !== undefined && sent >= total;
    const nextQuarter = total === undefined || total === 0 ? 0 : Math.floor((sent / total) * 4);
    const milestone = nextQuarter > quarter;
    if (!milestone && !done && now - shownAt < everyMs) return;
    shownAt = now;
    quarter = Math.max(quarter, nextQuarter);
    const rate = (sent - begun) / 1e6 / Math.max(0.001, (now - startedAt) / 1000);
    const speed = rate > 0 ? `  ${rate.toFixed(1)} MB/s` : '';
    const line =
      total === undefined
        ? `${label}  ${megabytes(sent)}${speed}`
        : `${label}  ${bar(sent / Math.max(1, total))} ${percent(sent, total)}  ${megabytes(sent)} of ${megabytes(total)}${speed}`;
    output.progress(line, milestone);
  };
}

export function percent(done: number, total: number): string {
  return `${Math.floor((done / Math.max(1, total)) * 100)} %`;
}

function bar(share: number): string {
  const full = Math.min(barWidth, Math.floor(share * barWidth));
  return `[${'#'.repeat(full)}${'-'.repeat(barWidth - full)}]`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
