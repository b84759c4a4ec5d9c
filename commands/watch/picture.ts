import type { TrackPicture } from './statistics.ts';

const columns = ['track', 'groups', 'objects', 'bitrate', 'latency', 'gaps'] as const;

/** Lines to be drawn in place: a header and one line a track. */
export function pictureLines(tracks: readonly TrackPicture[], state: string): string[] {
  const rows = [columns as readonly string[], ...tracks.map(cells)];
  const widths = columns.map((_, index) => rows.reduce((widest, row) => Math.max(widest, row[index]!.length), 0));
  return [
    state,
    ...rows.map((row) =>
      row.map((cell, index) => (index === 0 ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!))).join('  '),
    ),
  ];
}

/** The same in one line, for a log. */
export function pictureLine(tracks: readonly TrackPicture[], state: string): string {
  if (tracks.length === 0) return state;
  return tracks
    .map((track) => {
      const [name, groups, objects, bitrate, latency, gaps] = cells(track);
      return `${name}: ${groups} groups, ${objects} objects, ${bitrate}, latency ${latency}, ${gaps} gaps`;
    })
    .join(' · ');
}

function cells({ track, groups, objects, bitrate, latencyMs, gaps }: TrackPicture): string[] {
  return [track, String(groups), String(objects), bitrateText(bitrate), latencyText(latencyMs), String(gaps)];
}

export function bitrateText(bitrate: number): string {
  return bitrate >= 1_000_000 ? `${(bitrate / 1_000_000).toFixed(2)} Mbit/s` : `${Math.round(bitrate / 1000)} kbit/s`;
}

export function latencyText(latencyMs: number | undefined): string {
  return latencyMs === undefined ? '-' : `${latencyMs < 100 ? latencyMs.toFixed(1) : Math.round(latencyMs)} ms`;
}
