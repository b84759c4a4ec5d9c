import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { binary, type Stack } from '../bench/stack.ts';

export const soakedIngests = ['rtmp', 'srt', 'fmp4', 'moqt'] as const;
export type SoakedIngest = (typeof soakedIngests)[number];

export type SoakedInput = { readonly ingest: SoakedIngest; readonly id: string; readonly token: string };

export type Running = { readonly input: SoakedInput; stop(): Promise<void>; alive(): boolean };

const encode = (size: string) =>
  [
    `-v error -nostdin -re -f lavfi -i testsrc2=size=${size}:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000`,
    '-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 30 -b:v 800k -maxrate 800k -bufsize 800k',
    '-c:a aac -b:a 96k -ac 2',
  ].join(' ');

/** An input of that kind, with ffmpeg (for MoQT: ffmpeg and `streams publish`) sending to it in real time. */
export async function startSoaked(stack: Stack, ingest: SoakedIngest, options: { size: string; ladder: string }) {
  type Created = { id: string; stream_key_cleartext: string; urls: { rtmp?: string; srt?: string; fmp4?: string } };
  const kind = ingest === 'moqt' ? 'fmp4' : ingest;
  const { ladder } = options;
  const created = await stack.post<Created>('/v1/live-inputs', { name: `soak ${ingest}`, ingest: kind, ladder });
  const { id, stream_key_cleartext: key, urls } = created;
  const { token } = await stack.post<{ token: string }>(`/v1/live-inputs/${id}/playback-tokens`, {
    ttlSeconds: 86_400,
  });
  const fragmented = '-f mp4 -movflags frag_every_frame+empty_moov+default_base_moof';
  const ways: Record<SoakedIngest, string> = {
    rtmp: `-f flv '${urls.rtmp}'`,
    srt: `-f mpegts '${urls.srt}'`,
    fmp4: `${fragmented} -method POST -headers 'Authorization: Bearer ${key}\r\n' '${urls.fmp4}'`,
    moqt: `${fragmented} pipe:1 | '${process.execPath}' '${binary}' publish ${id} --json > /dev/null`,
  };
  let child = start();
  function start(): ChildProcess {
    return spawn('sh', ['-c', `ffmpeg ${encode(options.size)} ${ways[ingest]}`], {
      env: { ...stack.env, STREAMS_STREAM_KEY: key, STREAMS_API_URL: stack.urls.http },
      stdio: ['ignore', 'ignore', 'inherit'],
      // One group, so that the whole pipeline can be stopped.
      detached: true,
    });
  }
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid!, 'SIGKILL');
    await once(child, 'close');
  };
  return {
    input: { ingest, id, token } satisfies SoakedInput,
    stop,
    alive: () => child.exitCode === null && child.signalCode === null,
    /** As an encoder that was restarted. */
    async restart() {
      await stop();
      child = start();
    },
  };
}
