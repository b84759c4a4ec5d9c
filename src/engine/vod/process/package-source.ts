import { readBoxHeader } from '../../../codec/cmaf/boxes.ts';
import { StreamsError, toStreamsError } from '../../../core/errors.ts';
import type { MediaUnit } from '../../../core/media-unit.ts';
import { Fmp4ToUnits } from '../../ingest/fmp4/to-units.ts';
import type { AssetIndex } from '../asset-index.ts';
import { type AssetRecord, sourceFile } from '../asset-record.ts';
import { AssetWriter } from '../asset-writer.ts';
import type { MediaStore } from '../media-store.ts';
import { inputArguments, outputPipe, runFfmpegOutputs } from './ffmpeg.ts';
import { FilePackager } from './file-packager.ts';
import type { FfmpegPrograms } from './find-ffmpeg.ts';
import { type Probed, probe } from './probe.ts';

export type PackageOptions = {
  readonly store: MediaStore;
  /** undefined: only fragmented MP4 can be packaged. */
  readonly ffmpeg: FfmpegPrograms | undefined;
  /** 0 to 99. */
  progress(percent: number): void;
  readonly signal: AbortSignal;
};

const silenceMs = 60_000;
const minWallMs = 10 * 60_000;
/** Of the source: what repackaging, or encoding again, may blow it up to. */
const growth = 20;

/**
 * Makes the uploaded file of an asset playable: H.264 and AAC go into CMAF as they are, everything else is encoded again by
 * ffmpeg. Without ffmpeg a fragmented MP4 is read by ourselves. Throws what is wrong with the file in words (MALFORMED,
 * UNSUPPORTED, NO_MEDIA, FFMPEG_MISSING, TIMEOUT, LIMIT_EXCEEDED).
 */
export async function packageSource(record: AssetRecord, options: PackageOptions): Promise<AssetIndex> {
  const { store, ffmpeg, signal } = options;
  const { assetId } = record;
  const size = (await store.stat(assetId, sourceFile))?.bytes ?? 0;
  if (size === 0) throw new StreamsError('NO_MEDIA', 'the file is empty');
  const fragmented = await isFragmented(store, assetId, size);
  if (ffmpeg === undefined) {
    if (fragmented) return ownWay(record, size, options);
    throw new StreamsError(
      'FFMPEG_MISSING',
      'without ffmpeg on the server only fragmented MP4 (CMAF) can be packaged',
      {
        hint: 'Install ffmpeg, or upload a fragmented MP4 with H.264 and AAC.',
      },
    );
  }
  const probed = await probe(ffmpeg.ffprobe, store.path(assetId, sourceFile), signal);
  const copies = probed.video?.copy !== false && probed.audio?.copy !== false;
  if (fragmented && copies) {
    try {
      return await ownWay(record, size, options);
    } catch (error) {
      // ffmpeg forgives more.
      if (!['MALFORMED', 'UNSUPPORTED', 'LIMIT_EXCEEDED'].includes(toStreamsError(error).code)) throw error;
    }
  }
  const args = [
    '-nostdin',
    '-v',
    'error',
    ...inputArguments(store.path(assetId, sourceFile)),
    ...outputArguments(probed),
  ];
  const wallMs = Math.max(minWallMs, (probed.seconds ?? 3600) * 10_000);
  const bounds = { wallMs, silenceMs, outputBytes: (256 << 20) + size * growth };
  const { seconds } = probed;
  const kinds = kindsOf(probed);
  const outputs = runFfmpegOutputs(ffmpeg.ffmpeg, args, kinds.length, bounds, signal);
  return write(record, options, unitsOfOutputs(outputs, kinds.length), kinds, (_, media) =>
    seconds === undefined ? 0 : media / seconds,
  );
}

function ownWay(record: AssetRecord, size: number, options: PackageOptions): Promise<AssetIndex> {
  const source = options.store.read(record.assetId, sourceFile, 0, size);
  return write(record, options, unitsOf(source as AsyncIterable<Buffer>), ['video', 'audio'], (bytes) => bytes / size);
}

/** Units of a chunk of the source, and how many bytes that was. */
type Units = { readonly units: readonly MediaUnit[]; readonly bytes: number };

async function* unitsOf(source: AsyncIterable<Buffer>): AsyncGenerator<Units> {
  const reader = new Fmp4ToUnits('file');
  for await (const chunk of source) yield { units: reader.push(chunk, 0), bytes: chunk.length };
  if (!reader.atBoundary) throw new StreamsError('MALFORMED', 'the file ends inside of a fragment');
}

/** ffmpeg writes each track into a pipe of its own. */
async function* unitsOfOutputs(
  source: AsyncIterable<{ output: number; chunk: Buffer }>,
  outputs: number,
): AsyncGenerator<Units> {
  const readers = Array.from({ length: outputs }, () => new Fmp4ToUnits('file'));
  for await (const { output, chunk } of source) yield { units: readers[output]!.push(chunk, 0), bytes: chunk.length };
  if (readers.some(({ atBoundary }) => !atBoundary))
    throw new StreamsError('MALFORMED', 'the file ends inside of a fragment');
}

/** `share`: how much is done, 0 to 1, by bytes read and seconds of media. */
async function write(
  record: AssetRecord,
  { store, progress, signal }: PackageOptions,
  source: AsyncIterable<Units>,
  kinds: readonly MediaUnit['kind'][],
  share: (bytes: number, seconds: number) => number,
): Promise<AssetIndex> {
  await removeTracks(store, record.assetId);
  const writer = new AssetWriter(store, record);
  const packager = new FilePackager(writer, kinds);
  let bytes = 0;
  let seconds = 0;
  let begin: number | undefined;
  try {
    for await (const { units, bytes: more } of source) {
      signal.throwIfAborted();
      bytes += more;
      for (const unit of units) {
        packager.push(unit);
        begin ??= unit.dts / unit.timescale;
        seconds = Math.max(seconds, unit.dts / unit.timescale - begin);
      }
      progress(Math.min(99, Math.floor(share(bytes, seconds) * 100)));
      await writer.drained();
    }
    packager.finish();
    const index = await writer.finish();
    if (index.tracks.length === 0) throw new StreamsError('NO_MEDIA', 'no picture and no sound could be read from it');
    return index;
  } catch (error) {
    await writer.close();
    throw error;
  }
}

async function removeTracks(store: MediaStore, assetId: string): Promise<void> {
  for (let i = 0; i < 2; i++) await store.removeFile(assetId, `track-${i}.cmaf`);
}

function kindsOf({ video, audio }: Probed): MediaUnit['kind'][] {
  return [...(video === undefined ? [] : ['video' as const]), ...(audio === undefined ? [] : ['audio' as const])];
}

/**
 * An output for each track. In an MP4 of its own the muxer never guesses how long a packet lasts: a fragment ends when the
 * next packet of the same track is there. (With both in one, whichever comes ends the fragments of both.)
 */
function outputArguments({ video, audio }: Probed): string[] {
  const args: string[] = [];
  let outputs = 0;
  if (video !== undefined) {
    args.push('-map', '0:V:0');
    if (video.copy) args.push('-c:v', 'copy');
    else
      args.push(
        ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '21', '-profile:v', 'high', '-pix_fmt', 'yuv420p'],
        ...['-force_key_frames', 'expr:gte(t,n_forced*2)', '-vf', "scale=-2:'min(1080,trunc(ih/2)*2)'"],
        // Pictures keep the times that they have: without it they are moved to a guessed rate.
        ...['-fps_mode', 'passthrough', '-enc_time_base', '-1'],
      );
    args.push(...muxArguments(outputs++));
  }
  if (audio !== undefined) {
    args.push('-map', '0:a:0');
    // Of ADTS frames it makes what MP4 has; what has no ADTS header passes.
    if (audio.copy) args.push('-c:a', 'copy', '-bsf:a', 'aac_adtstoasc');
    else args.push('-c:a', 'aac', '-b:a', '160k', '-ac', '2');
    args.push(...muxArguments(outputs++));
  }
  return args;
}

/** Makes room for what comes before 0: reordered pictures, the priming of an audio encoder. Seconds. */
const timeOffset = 100;

function muxArguments(output: number): string[] {
  // The moov waits for the first frames: MPEG-TS says in them what its AAC is. Without an edit list every track keeps the times
  // it has, moved by the same offset, instead of beginning at 0.
  const movflags = 'frag_every_frame+delay_moov+frag_discont+default_base_moof';
  return [
    ...['-map_metadata', '-1', '-max_muxing_queue_size', '4096', '-f', 'mp4', '-movflags', movflags],
    ...['-use_editlist', '0', '-avoid_negative_ts', 'disabled', '-output_ts_offset', String(timeOffset)],
    outputPipe(output),
  ];
}

const maxBoxesLookedAt = 64;

/** Whether the top of the file is that of a fragmented MP4: a moov with an mvex in it. */
async function isFragmented(store: MediaStore, assetId: string, size: number): Promise<boolean> {
  let offset = 0;
  for (let i = 0; i < maxBoxesLookedAt && offset + 8 <= size; i++) {
    const head = await readSome(store, assetId, offset, Math.min(size, offset + 16));
    let header: ReturnType<typeof readBoxHeader>;
    try {
      header = readBoxHeader(head);
    } catch {
      return false;
    }
    if (header === null || header.size === 0 || (i === 0 && header.type !== 'ftyp' && header.type !== 'styp'))
      return false;
    if (header.type === 'mdat') return false;
    if (header.type === 'moov') {
      const moov = await readSome(store, assetId, offset, Math.min(size, offset + header.size, offset + (1 << 20)));
      return moov.includes('mvex', 0, 'latin1');
    }
    offset += header.size;
  }
  return false;
}

async function readSome(store: MediaStore, assetId: string, start: number, end: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of store.read(assetId, sourceFile, start, end)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
