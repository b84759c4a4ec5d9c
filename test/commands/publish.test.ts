import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/sdk/publisher/pace.ts';
import { commandLine } from './command-line.ts';

const id = 'lv_0123456789abcdefghijkl';
const relay = ['--relay', 'https://127.0.0.1:1'];

describe('publish', () => {
  it('needs a key, an id and a relay that is one', async () => {
    const noKey = await commandLine(['publish', id, 'file.mp4', ...relay]);
    expect(noKey).toMatchObject({ code: 2, stderr: expect.stringContaining('needs the stream key') });
    const env = { STREAMS_STREAM_KEY: 'sk_live_secret' };
    const noId = await commandLine(['publish', 'show', 'file.mp4', ...relay], { env });
    expect(noId).toMatchObject({ code: 2, stderr: expect.stringContaining('"show" is not the id of an input') });
    const noRelay = await commandLine(['publish', id, 'file.mp4', '--relay', 'ftp://x'], { env });
    expect(noRelay).toMatchObject({ code: 2, stderr: expect.stringContaining('--relay https://host:4443') });
    const both = await commandLine(['publish', id, '--key-file', '-', ...relay]);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('standard input') });
  });

  it('says where it looked for a server that is not there', async () => {
    const env = { STREAMS_STREAM_KEY: 'sk_live_secret', STREAMS_API_URL: 'http://127.0.0.1:1' };
    const answer = await commandLine(['publish', id, 'file.mp4'], { env });
    expect(answer).toMatchObject({ code: 4, stderr: expect.stringContaining('http://127.0.0.1:1') });
    expect(answer.stderr).not.toContain('secret');
  });
});

describe('the pace of a file', () => {
  it('follows the media clock, over jumps and small steps back', () => {
    const pace = new Pace();
    expect(pace.waitMs(100, 5000)).toBe(0);
    expect(pace.waitMs(100.5, 5000)).toBe(500);
    expect(pace.waitMs(100.4, 5500)).toBe(0);
    expect(pace.waitMs(101, 5500)).toBe(500);
    expect(pace.waitMs(0, 6000)).toBe(0);
    expect(pace.waitMs(1, 6000)).toBe(1000);
    expect(pace.waitMs(3600, 6100)).toBe(0);
  });
});
