import { StreamsError } from '../../src/core/errors.ts';
import type { Catalog } from '../../src/sdk/index.ts';
import { selectDefaultTracks } from '../../src/sdk/viewer/select-tracks.ts';

/**
 * Which tracks to follow by `--track` and `--rendition`: exactly those named, or the picture named with the usual sound, or
 * what players take. Throws USAGE for both at once; the choice throws NOT_FOUND for what the catalog has not.
 */
export function chooseTracks(options: {
  track?: string[] | undefined;
  rendition?: string | undefined;
}): (catalog: Catalog) => readonly string[] {
  const { track, rendition } = options;
  if (track !== undefined && rendition !== undefined)
    throw new StreamsError('USAGE', '--track and --rendition exclude each other');
  return (catalog) => {
    const { tracks } = catalog;
    const names = tracks.map(({ name }) => name);
    if (rendition !== undefined) {
      const video = tracks.find(({ name, kind }) => kind === 'video' && shortName(name) === shortName(rendition));
      if (video === undefined) throw missing(`rendition "${rendition}"`, '--rendition', renditionsOf(catalog));
      const sound = tracks.find(({ kind }) => kind === 'audio');
      return [video.name, ...(sound === undefined ? [] : [sound.name])];
    }
    if (track === undefined) return selectDefaultTracks(catalog);
    const absent = track.find((name) => !names.includes(name));
    if (absent !== undefined) throw missing(`track "${absent}"`, '--track', names);
    return track;
  };
}

function renditionsOf({ tracks }: Catalog): string[] {
  return tracks.filter(({ kind }) => kind === 'video').map(({ name }) => shortName(name));
}

/** `720p` of `video/720p`. */
function shortName(name: string): string {
  return name.replace(/^video\//, '');
}

function missing(what: string, option: string, there: readonly string[]): StreamsError {
  return new StreamsError('NOT_FOUND', `there is no ${what}`, { hint: `${option} ${there.join(' | ')}` });
}
