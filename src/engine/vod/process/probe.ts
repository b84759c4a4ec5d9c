import { StreamsError, toStreamsError } from '../../../core/errors.ts';
import { inputArguments, runFfmpeg } from './ffmpeg.ts';

export type ProbedStream = {
  readonly codec: string;
  /** Goes into CMAF as it is. */
  readonly copy: boolean;
  readonly height: number | undefined;
};
/** The first video that is no cover picture, and the first audio. */
export type Probed = {
  readonly seconds: number | undefined;
  readonly video: ProbedStream | undefined;
  readonly audio: ProbedStream | undefined;
};

const bounds = { wallMs: 60_000, silenceMs: 60_000, outputBytes: 4 << 20 };
/** A file that says it is longer says nothing: 32 or 64 bits of ones are "unknown" (ISO 14496-12 8.4.2). */
const believableSeconds = 24 * 3600;
/** So many packets are looked at. */
const packetsLookedAt = 400;

type FfprobeStream = {
  index?: number;
  codec_type?: string;
  codec_name?: string;
  profile?: string;
  pix_fmt?: string;
  height?: number;
  disposition?: { attached_pic?: number };
  tags?: { rotate?: string };
  side_data_list?: { rotation?: number }[];
};

/** What ffprobe finds in a file. Throws MALFORMED with the reason, NO_MEDIA. */
export async function probe(ffprobe: string, path: string, signal: AbortSignal): Promise<Probed> {
  const chunks: Buffer[] = [];
  const shown = ['-show_format', '-show_streams', '-show_entries', 'packet=stream_index,pts'];
  const args = ['-v', 'error', ...shown, '-read_intervals', `%+#${packetsLookedAt}`, '-of', 'json'];
  try {
    for await (const chunk of runFfmpeg(ffprobe, [...args, ...inputArguments(path)], bounds, signal))
      chunks.push(chunk);
  } catch (error) {
    const { code, message } = toStreamsError(error);
    if (code !== 'MALFORMED') throw error;
    throw new StreamsError('MALFORMED', `it cannot be read as media: ${message.replace(/^the file: /, '')}`);
  }
  const answer = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
    format?: { duration?: string };
    streams?: FfprobeStream[];
    packets?: { stream_index?: number; pts?: number }[];
  };
  const streams = answer.streams ?? [];
  const video = streams.find((stream) => stream.codec_type === 'video' && stream.disposition?.attached_pic !== 1);
  const audio = streams.find((stream) => stream.codec_type === 'audio');
  if (video === undefined && audio === undefined)
    throw new StreamsError('NO_MEDIA', 'neither video nor audio is in it');
  const seconds = Number(answer.format?.duration ?? Number.NaN);
  // Of raw streams, AVI and MPEG-PS not every picture says when it is shown. Only a decoder knows their order.
  const timed = (answer.packets ?? []).every(({ stream_index: of, pts }) => of !== video?.index || pts !== undefined);
  return {
    seconds: seconds > 0 && seconds < believableSeconds ? seconds : undefined,
    video: video && {
      codec: video.codec_name ?? 'unknown',
      copy: timed && video.codec_name === 'h264' && /^yuvj?420p$/.test(video.pix_fmt ?? '') && !isTurned(video),
      height: video.height,
    },
    audio: audio && {
      codec: audio.codec_name ?? 'unknown',
      copy: audio.codec_name === 'aac' && audio.profile === 'LC',
      height: undefined,
    },
  };
}

/** Players are told nothing of a rotation: it has to be in the pictures. */
function isTurned({ tags, side_data_list: list = [] }: FfprobeStream): boolean {
  return Number(tags?.rotate ?? 0) !== 0 || list.some(({ rotation = 0 }) => rotation !== 0);
}
