import type { CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import type { ParsedTrack } from '../../codec/cmaf/init-segment.ts';
import { StreamsError } from '../../core/errors.ts';

/** What a catalog says of the track of an init segment. Throws UNSUPPORTED for what is neither video nor audio. */
export function describeTrack(track: ParsedTrack, name: string): CatalogTrack {
  const { kind, codecString: codec, width, height, sampleRate, channels } = track;
  if (kind === 'other') throw new StreamsError('UNSUPPORTED', `a track of ${codec} is neither video nor audio`);
  return {
    name,
    kind,
    codec,
    ...(width !== undefined && height !== undefined && { width, height }),
    ...(sampleRate !== undefined && { sampleRate }),
    ...(channels !== undefined && { channels }),
  };
}

/** `video/720p`, `audio`; with a number where that is used. */
export function uniqueName({ kind, height }: ParsedTrack, used: ReadonlySet<string>): string {
  const plain = kind === 'video' ? `video/${height ?? 0}p` : kind;
  for (let i = 1; ; i++) {
    const name = i === 1 ? plain : `${plain}-${i}`;
    if (!used.has(name)) return name;
  }
}
