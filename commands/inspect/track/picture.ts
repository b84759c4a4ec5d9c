import type { Block } from '../../output/output.ts';
import type { Gap, Spread, TrackMeter, TrackSummary } from './track-meter.ts';

const shownGroups = 8;
const shownGaps = 10;

/** The newest groups, one a line. */
export function pictureLines(track: string, meter: TrackMeter): string[] {
  const rows = meter.rows().slice(-shownGroups);
  const head = `${'group'.padStart(10)} ${'objects'.padStart(8)} ${'streams'.padStart(8)} ${'bytes'.padStart(10)} ${'ms'.padStart(7)}`;
  return [
    pictureLine(track, meter),
    head,
    ...rows.map(
      ({ groupId, objects, subgroups, bytes, firstAt, lastAt }) =>
        `${String(groupId).padStart(10)} ${String(objects).padStart(8)} ${String(subgroups).padStart(8)} ${String(bytes).padStart(10)} ${String(Math.round(lastAt - firstAt)).padStart(7)}`,
    ),
  ];
}

export function pictureLine(track: string, meter: TrackMeter): string {
  const { groups, objects, bitrate, jitterMs, gapCount } = meter.summary();
  return `${track}: ${groups} groups, ${objects} objects, ${Math.round(bitrate / 1000)} kbit/s, jitter ${jitterMs} ms, ${gapCount} gaps`;
}

export function summaryBlocks(track: string, summary: TrackSummary): Block[] {
  const { gaps, gapCount } = summary;
  return [
    {
      kind: 'fields',
      rows: [
        ['Track', track],
        ['Groups', `${summary.groups} in ${summary.subgroups} streams`],
        ['Objects', String(summary.objects)],
        ['Received', `${(summary.bytes / 1e6).toFixed(2)} MB, ${Math.round(summary.bitrate / 1000)} kbit/s`],
        ['Object size', spread(summary.objectBytes, 'bytes')],
        ['Group', `${spread(summary.groupObjects, 'objects')}`],
        ['Group every', spread(summary.groupIntervalMs, 'ms')],
        ['Object every', spread(summary.objectIntervalMs, 'ms')],
        ['Jitter', `${summary.jitterMs} ms`],
        ['Gaps', String(gapCount)],
      ],
    },
    ...(gaps.length === 0 ? [] : [{ kind: 'text', text: gaps.slice(0, shownGaps).map(gapText).join('\n') } as const]),
  ];
}

function spread({ min, median, p99, max }: Spread, unit: string): string {
  return `${median} ${unit} (min ${min}, p99 ${p99}, max ${max})`;
}

function gapText(gap: Gap): string {
  if (gap.kind === 'groups')
    return gap.fromGroup === gap.toGroup
      ? `  group ${gap.fromGroup} never came`
      : `  groups ${gap.fromGroup} to ${gap.toGroup} never came`;
  if (gap.kind === 'objects') return `  group ${gap.groupId}: ${gap.missing} objects missing`;
  return `  group ${gap.groupId}: stream ${gap.subgroupId} was reset (code ${gap.code})`;
}
