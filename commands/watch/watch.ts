import { StreamsError, toStreamsError } from '../../src/core/errors.ts';
import { redactUrl } from '../../src/core/log.ts';
import { BroadcastViewer, type ViewerState } from '../../src/sdk/index.ts';
import { unreachableHint } from '../../src/transport/relay-url.ts';
import type { Run } from '../command.ts';
import { knownRelay } from '../connection/known-relay.ts';
import type { Result } from '../output/output.ts';
import { checkPlaybackUrl, nodeConnect, Patience } from './broadcast.ts';
import { chooseTracks } from './choose-tracks.ts';
import { Mp4Recorder } from './mp4-recorder.ts';
import { OutputFile } from './output-file.ts';
import { latencyText, pictureLine, pictureLines } from './picture.ts';
import type { watchSpec } from './specs.ts';
import { type Summary, WatchStatistics } from './statistics.ts';

const refreshMs = 1000;
/** Two attempts of so long, and the relay is called unreachable. */
const connectTimeoutMs = 6000;

export const run: Run<typeof watchSpec> = async ({ args, options, global, env, output, signal }) => {
  checkPlaybackUrl(args.url);
  const choose = chooseTracks(options);
  const file = options.out === undefined ? undefined : await OutputFile.create(options.out);
  const statistics = new WatchStatistics();
  const recording =
    file &&
    new Mp4Recorder(
      (bytes) => file.append(bytes),
      (track) => output.warn(`${track} changed its configuration; the file goes on without it`),
    );
  const patience = new Patience();
  let stateText = 'connecting';
  let failure: StreamsError | undefined;
  /** Why there was no session last time. */
  let refusal: StreamsError | undefined;
  let durationTimer: NodeJS.Timeout | undefined;

  const give = (error?: StreamsError) => {
    failure ??= error;
    void viewer.close();
  };
  /** The duration counts from the first media, and also bounds the wait for it. */
  const startDuration = () => {
    clearTimeout(durationTimer);
    if (options.duration !== undefined) durationTimer = setTimeout(() => give(), options.duration);
  };
  const guarded = (work: () => void) => {
    try {
      work();
      if (file?.failure !== undefined) give(file.failure);
    } catch (error) {
      give(error instanceof StreamsError ? error : new StreamsError('INTERNAL', String(error), { cause: error }));
    }
  };

  const viewer = new BroadcastViewer({
    url: args.url,
    connect: nodeConnect(options.certHash ?? knownRelay(global, env), options.versions),
    connectTimeoutMs,
    selectTracks: (catalog) => {
      try {
        return choose(catalog);
      } catch (error) {
        give(toStreamsError(error));
        return [];
      }
    },
    onCatalog: (catalog) => {
      const { tracks } = catalog;
      guarded(() => recording?.expect(choose(catalog)));
      output.event({
        json: { type: 'catalog', version: 1, tracks: tracks.map(({ init: _, ...track }) => track) },
      });
    },
    onObject: (object) => {
      const flowed = statistics.flowed;
      statistics.object(object);
      if (!flowed && statistics.flowed) startDuration();
      if (recording === undefined) return;
      guarded(() => {
        if (object.objectId === 0) recording.init(object.track, object.payload);
        else recording.fragment(object.track, object.payload);
      });
    },
    onGap: (gap) => {
      statistics.gap(gap);
      output.event({ json: { type: 'gap', version: 1, ...gap } });
    },
    onState: (state) => {
      const now = Date.now();
      if (state.name === 'reconnecting') refusal = state.error;
      if (state.name === 'playing') statistics.rejoined(now);
      const text = describe(state);
      if (text !== stateText) {
        stateText = text;
        output.event({ json: { type: 'state', version: 1, state: state.name } });
      }
      const over = patience.state(state, now);
      if (over !== undefined) give(over);
    },
  });

  const draw = () => {
    const tracks = statistics.tracks(Date.now());
    output.live({
      json: { type: 'progress', version: 1, state: viewer.state.name, tracks },
      lines: pictureLines(tracks, stateText),
      line: pictureLine(tracks, stateText),
    });
  };
  const refresh = setInterval(draw, refreshMs);
  const onAbort = () => give();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) give();
  startDuration();
  try {
    const ended = await viewer.ended;
    failure ??= ended.error;
  } finally {
    clearInterval(refresh);
    clearTimeout(durationTimer);
    signal.removeEventListener('abort', onAbort);
    guarded(() => recording?.finish());
    await file?.close();
    await viewer.close();
  }
  await output.result(
    summaryResult(statistics.summary(viewer.stats.joinMs), { flowed: statistics.flowed, file: options.out }),
  );
  if (failure !== undefined) throw failure;
  signal.throwIfAborted();
  if (!statistics.flowed) {
    if (viewer.stats.transport === undefined) throw refusal ?? notReached(args.url);
    throw new StreamsError('NO_MEDIA', 'no media came', {
      hint: 'is the encoder on? streams inputs list shows which inputs are live',
    });
  }
};

/** The duration was over before the relay said anything. */
function notReached(url: string): StreamsError {
  return new StreamsError('RELAY_UNREACHABLE', `no answer from the relay at ${redactUrl(url)} so far`, {
    hint: unreachableHint(url),
  });
}

function describe(state: ViewerState): string {
  if (state.name === 'waiting') return 'waiting: the input is off air';
  if (state.name === 'reconnecting') return `reconnecting: ${state.error.message}`;
  return state.name;
}

function summaryResult(summary: Summary, { flowed, file }: { flowed: boolean; file: string | undefined }): Result {
  const { p50, p99 } = summary.latencyMs;
  return {
    json: summary,
    // A person is told by the error that follows.
    blocks: !flowed
      ? []
      : [
          {
            kind: 'fields',
            rows: [
              ['Groups', String(summary.groups)],
              ['Objects', String(summary.objects)],
              ['Received', `${(summary.bytes / 1_000_000).toFixed(2)} MB`],
              ['Gaps', String(summary.gaps)],
              ['Latency', p50 === undefined ? '-' : `p50 ${latencyText(p50)}, p99 ${latencyText(p99)}`],
              ['Joined in', latencyText(summary.joinMs)],
              ...(file === undefined ? [] : [['File', file]]),
            ] as [string, string][],
          },
        ],
  };
}
