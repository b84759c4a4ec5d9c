import { ByteReader } from '../../../src/core/bytes.ts';
import type { Problem } from './box-tree.ts';
import type { FragmentInfo, SampleInfo, TrackRun } from './fragments.ts';
import type { Track } from './tracks.ts';

/** Where samples are not in the file, not in their mdat, or not what their track says. One line for each fragment and kind. */
export function checkSamples(
  file: Uint8Array,
  fragments: readonly FragmentInfo[],
  tracks: readonly Track[],
): { problems: Problem[]; warnings: string[] } {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  for (const { at, runs, data } of fragments) {
    if (data === undefined) {
      if (runs.some(({ samples }) => samples.some(({ size }) => size > 0)))
        problems.push({ at, message: 'a moof with samples, but no mdat behind it' });
      continue;
    }
    for (const run of runs) {
      const { trackId, samples } = run;
      const cut = samples.filter((sample) => sample.at + sample.size > file.length).length;
      const astray = samples.filter((sample) => sample.at < data.start || sample.at + sample.size > data.end).length;
      if (cut > 0) problems.push({ at, message: `track ${trackId}: ${cut} of ${samples.length} samples are cut off` });
      else if (astray > 0)
        problems.push({
          at,
          message: `track ${trackId}: ${astray} of ${samples.length} samples lie outside of the mdat`,
        });
      const track = tracks.find((candidate) => candidate.trackId === trackId);
      if (track?.nalLengthSize !== undefined) checkUnits(file, at, run, track.nalLengthSize, problems, warnings);
    }
    const claimed = runs.flatMap(({ samples }) => samples).reduce((sum, { size }) => sum + size, 0);
    const there = data.end - data.start;
    if (claimed < there) warnings.push(`${there - claimed} bytes of the mdat at ${data.start} belong to no sample`);
  }
  return { problems, warnings };
}

/** NAL unit types of H.264 (ITU-T H.264 table 7-1). */
const idr = 5;
const slice = 1;

function checkUnits(
  file: Uint8Array,
  at: number,
  { trackId, samples }: TrackRun,
  lengthSize: number,
  problems: Problem[],
  warnings: string[],
): void {
  let broken = 0;
  let falseKeys = 0;
  let hiddenKeys = 0;
  for (const sample of samples) {
    if (sample.at < 0 || sample.at + sample.size > file.length) continue;
    const types = unitTypes(file, sample, lengthSize);
    if (types === undefined) broken++;
    else if (sample.keyframe && !types.includes(idr) && types.includes(slice)) falseKeys++;
    else if (!sample.keyframe && types.includes(idr)) hiddenKeys++;
  }
  if (broken > 0)
    problems.push({ at, message: `track ${trackId}: NAL lengths of ${broken} samples do not add up to the sample` });
  if (falseKeys > 0)
    warnings.push(`track ${trackId}: ${falseKeys} samples at ${at} say keyframe without an IDR picture`);
  if (hiddenKeys > 0)
    warnings.push(`track ${trackId}: ${hiddenKeys} IDR pictures at ${at} are not marked as keyframes`);
}

/** undefined when the lengths do not add up. */
function unitTypes(file: Uint8Array, { at, size }: SampleInfo, lengthSize: number): number[] | undefined {
  const reader = new ByteReader(file.subarray(at, at + size));
  const types: number[] = [];
  while (reader.remaining > 0) {
    if (reader.remaining < lengthSize) return undefined;
    const length = lengthSize === 4 ? reader.u32() : lengthSize === 2 ? reader.u16() : reader.u8();
    if (length === 0 || length > reader.remaining) return undefined;
    types.push(reader.take(length)[0]! & 0x1f);
  }
  return types;
}
