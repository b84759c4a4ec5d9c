import { parseMultivariantPlaylist } from '../../../src/codec/hls/parse-playlist.ts';
import { type Followed, followRendition } from './follow.ts';

export type SwitchingOptions = {
  /** `http://host:port/hls/<id>/` */
  base: string;
  token: string;
  seconds: number;
  /** Called in the middle: the publisher goes and comes back. */
  disturb(): Promise<void>;
};

/**
 * A low-latency player that begins with the first variant, changes to the last, and back, while its sound goes on; every
 * playlist on the way is checked. Answers what it found of each, in order: sound, first variant, last, first again.
 */
export async function watchSwitching({ base, token, seconds, disturb }: SwitchingOptions): Promise<Followed[]> {
  const response = await fetch(`${base}index.m3u8?tok=${token}`);
  if (response.status !== 200) throw new Error(`the multivariant playlist answers ${response.status}`);
  const { variants, audio } = parseMultivariantPlaylist(await response.text());
  const plain = (uri: string) => uri.replace(/\?.*/, '');
  const began = performance.now();
  const until = (share: number) => () => performance.now() - began > seconds * 1000 * share;
  const follow = (uri: string, share: number) =>
    followRendition({ base, token, path: plain(uri), enough: until(share) });
  const sound = follow(audio[0]!.uri, 1);
  const pictures = (async () => [
    await follow(variants[0]!.uri, 1 / 3),
    await follow(variants.at(-1)!.uri, 2 / 3),
    await follow(variants[0]!.uri, 1),
  ])();
  const disturbed = new Promise((resolve) => setTimeout(resolve, seconds * 500)).then(disturb);
  const [heard, seen] = await Promise.all([sound, pictures, disturbed]);
  return [heard, ...seen];
}
