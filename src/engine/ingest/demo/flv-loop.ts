import { FlvReader, type FlvTag } from '../../../codec/flv/flv-reader.ts';
import { StreamsError } from '../../../core/errors.ts';

/** Further behind than this (a machine that slept) the loop goes on from now instead of catching up in a burst. */
const maxLateMs = 1000;

/** How long one round of the tags lasts: the video's frames at their spacing, ms. */
export function loopLength(tags: readonly FlvTag[]): number {
  const times = tags.filter((tag) => tag.type === 'video' && tag.body[1] === 1).map((tag) => tag.timestamp);
  const [first, second] = times;
  if (first === undefined || second === undefined) throw new StreamsError('NO_MEDIA', 'the demo file has no video');
  return times.at(-1)! - first + (second - first);
}

/**
 * Plays a whole FLV file again and again in real time with timestamps that go on. Each tag is due at a time counted from
 * the beginning, so that late timers do not add up. Returns how to stop.
 */
export function playFlvLoop(file: Uint8Array, emit: (tag: FlvTag) => void): () => void {
  const tags = new FlvReader().push(file);
  const length = loopLength(tags);
  let origin = performance.now() - (tags[0]?.timestamp ?? 0);
  let round = 0;
  let index = 0;
  let timer: NodeJS.Timeout;
  const play = (): void => {
    const now = performance.now();
    for (;;) {
      const tag = tags[index]!;
      const timestamp = tag.timestamp + round * length;
      const wait = origin + timestamp - now;
      if (wait > 0) {
        timer = setTimeout(play, wait);
        return;
      }
      if (wait < -maxLateMs) origin -= wait;
      emit({ ...tag, timestamp: timestamp % 0x1_0000_0000 });
      if (++index === tags.length) {
        index = 0;
        round++;
      }
    }
  };
  timer = setTimeout(play, 0);
  return () => clearTimeout(timer);
}
