import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { run } from './harness.ts';

/** As far as they were asked for. */
export type Probed = {
  streams: { codec_name: string; nb_read_packets: string; width?: number; height?: number; channels?: number }[];
  format: { duration: string };
};

/** What ffprobe says of the `entries` of an MP4 file, packets counted. It accepts it, and ffmpeg decodes all of it without a word. */
export async function expectAccepted(mp4: Uint8Array, entries: string, decodeOptions: string[] = []): Promise<Probed> {
  const folder = await mkdtemp(join(tmpdir(), 'streams-test-'));
  try {
    const file = join(folder, 'out.mp4');
    await writeFile(file, mp4);
    const args = ['-v', 'error', '-count_packets', '-show_entries', entries, '-of', 'json', file];
    const probe = await run('ffprobe', args);
    expect(probe.stderr).toBe('');
    const decoded = await run('ffmpeg', ['-v', 'warning', '-xerror', '-i', file, ...decodeOptions, '-f', 'null', '-']);
    expect(decoded).toMatchObject({ code: 0, stderr: '' });
    return JSON.parse(probe.stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}
