import { expect } from 'vitest';
import { parseFragment } from '../../src/codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../src/codec/cmaf/init-segment.ts';
import { mergeInits } from '../../src/codec/cmaf/merge-inits.ts';
import { retimeFragment } from '../../src/codec/cmaf/retime.ts';
import { concat } from '../../src/core/bytes.ts';
import { expectAccepted, type Probed } from './decodes.ts';
import { collect, type Group, type Harness, namespace, until } from './harness.ts';

/** Takes everything the engine publishes over its nth connection to the relay. */
export async function subscribeAll(harness: Harness, connection = 0) {
  await until(() => harness.relays.length > connection, 'the engine connects to the relay', 15_000);
  const { session, announced } = harness.relays[connection]!;
  expect(await announced).toEqual(namespace);
  const [catalog, video, audio] = await Promise.all(
    ['.catalog', 'video/360p', 'audio'].map(async (name) =>
      collect(await session.subscribe({ namespace, name }, { filter: { type: 'unfiltered' } })),
    ),
  );
  return { catalog: catalog!, video: video!, audio: audio! };
}

/** Decode time of each fragment of the groups, in order, checking the shape of each group on the way. */
export function decodeTimes(groups: Group[]): number[] {
  return groups
    .filter((group) => group.objects.length > 0)
    .sort((a, b) => a.groupId - b.groupId)
    .flatMap((group) => {
      expect(group.objects.map((object) => object.objectId)).toEqual(group.objects.map((_, i) => i));
      expect(parseInitSegment(group.objects[0]!.payload)).toHaveLength(1);
      return group.objects.slice(1).map((object) => parseFragment(object.payload).tracks[0]!.baseMediaDecodeTime);
    });
}

/** Writes what arrived into one file: ffprobe counts all of it, and ffmpeg decodes it without a word. 48 kHz audio. */
export async function expectPlayable(video: Group[], audio: Group[]): Promise<void> {
  const videoTimes = decodeTimes(video);
  const audioTimes = decodeTimes(audio);
  const { bytes } = mergeInits([video[0]!.objects[0]!.payload, audio[0]!.objects[0]!.payload]);
  const start = Math.min(videoTimes[0]! / 90_000, audioTimes[0]! / 48_000);
  const moved = (groups: Group[], timescale: number) =>
    groups.flatMap((group) =>
      group.objects
        .slice(1)
        .map((object) => retimeFragment(object.payload, { offset: -Math.floor(start * timescale) })),
    );
  const file = concat([bytes, ...moved(video, 90_000), ...moved(audio, 48_000)]);
  const { streams } = await expectAccepted(file, 'stream=codec_name,width,sample_rate,nb_read_packets');
  expect(streams).toMatchObject([
    { codec_name: 'h264', width: 640, nb_read_packets: String(videoTimes.length) },
    { codec_name: 'aac', sample_rate: '48000', nb_read_packets: String(audioTimes.length) },
  ]);
}

/** As expectPlayable, of any codecs: ffprobe counts every unit of each track, ffmpeg decodes them without a word. */
export async function expectDecodes(tracks: Group[][]): Promise<Probed['streams']> {
  const inits = tracks.map((groups) => groups[0]!.objects[0]!.payload);
  const { bytes, trackIds } = mergeInits(inits);
  const timescales = inits.map((init) => parseInitSegment(init)[0]!.timescale);
  const times = tracks.map(decodeTimes);
  const start = Math.min(...times.map((list, i) => list[0]! / timescales[i]!));
  const moved = tracks.flatMap((groups, i) =>
    groups.flatMap((group) =>
      group.objects
        .slice(1)
        .map((object) =>
          retimeFragment(object.payload, { offset: -Math.floor(start * timescales[i]!), trackId: trackIds[i]! }),
        ),
    ),
  );
  // Senders leave out frames: their times are no steady rate.
  const asItComes = ['-fps_mode', 'passthrough', '-enc_time_base', '-1'];
  const entries = 'stream=codec_name,width,height,channels,nb_read_packets';
  const { streams } = await expectAccepted(concat([bytes, ...moved]), entries, asItComes);
  expect(streams.map((stream) => Number(stream.nb_read_packets))).toEqual(times.map((list) => list.length));
  return streams;
}
