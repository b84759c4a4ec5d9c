import { describe, expect, it } from 'vitest';
import { apiServer } from './api-server.ts';
import { commandLine } from './command-line.ts';

const input = {
  id: 'lv_1',
  external_input_id: null,
  name: 'show',
  ingest: 'rtmp',
  status: 'idle',
  createdAt: '2026-11-20T00:00:00.000Z',
};
const withKey = {
  ...input,
  stream_key_cleartext: 'sk_live_x',
  urls: { rtmp: 'rtmp://h/live/lv_1?sk=sk_live_x', rtmpServer: 'rtmp://h/live', rtmpStreamKey: 'lv_1?sk=sk_live_x' },
};
const env = (url: string) => ({ STREAMS_API_URL: url, STREAMS_API_KEY: 'ak_live_env' });

describe('inputs create', () => {
  it('prints the key and the exact RTMP URL, for people and for scripts', async () => {
    await using api = await apiServer(() => ({ status: 201, body: withKey }));
    const argv = ['inputs', 'create', '--name', 'show', '--ingest', 'rtmp'];
    const json = await commandLine([...argv, '--json'], { env: env(api.url) });
    expect(json.stderr).toBe('');
    expect(json.code).toBe(0);
    const { external_input_id: _, ...shown } = input;
    expect(JSON.parse(json.stdout)).toEqual({
      version: 1,
      type: 'input',
      input: shown,
      streamKey: 'sk_live_x',
      urls: withKey.urls,
    });
    expect(api.seen).toEqual([
      {
        method: 'POST',
        path: '/v1/live-inputs',
        authorization: 'Bearer ak_live_env',
        body: { name: 'show', ingest: 'rtmp' },
      },
    ]);
    const human = await commandLine(argv, { env: env(api.url) });
    expect(human.stdout).toMatch(/RTMP URL +rtmp:\/\/h\/live\/lv_1\?sk=sk_live_x\n/);
    expect(human.stdout).toMatch(/OBS key +lv_1\?sk=sk_live_x\n/);
    expect(human.stderr).toContain('shown this once');
  });

  it('shows the URL of an SRT input, and how ffmpeg sends to it', async () => {
    const url = 'srt://h:9000?streamid=lv_1:sk_live_x';
    const body = { ...withKey, ingest: 'srt', urls: { srt: url } };
    await using api = await apiServer(() => ({ status: 201, body }));
    const argv = ['inputs', 'create', '--name', 'show', '--ingest', 'srt'];
    const { stdout, stderr } = await commandLine(argv, { env: env(api.url) });
    expect(stdout).toContain(`SRT URL     ${url}\n`);
    expect(stdout + stderr).toContain(`ffmpeg -re -i some.mp4 -c copy -f mpegts "${url}"`);
  });

  it('without a terminal names the command that would have worked', async () => {
    const { code, stderr } = await commandLine(['inputs', 'create', '--ingest', 'srt']);
    expect(code).toBe(2);
    expect(stderr).toContain('Try: streams inputs create --name "my show" --ingest srt\n');
  });

  it('with a terminal asks for the name', async () => {
    await using api = await apiServer(() => ({ status: 201, body: withKey }));
    const { code } = await commandLine(['inputs', 'create'], {
      env: env(api.url),
      tty: true,
      answers: ['asked', 'srt'],
    });
    expect(code).toBe(0);
    expect(api.seen[0]?.body).toEqual({ name: 'asked', ingest: 'srt' });
    expect((await commandLine(['inputs', 'create'], { env: env(api.url), tty: true })).code).toBe(130);
    expect((await commandLine(['inputs', 'create', '--json'], { env: env(api.url), tty: true })).code).toBe(2);
  });
});

describe('inputs list, get, rotate-key, delete', () => {
  it('lists every page', async () => {
    await using api = await apiServer(({ path }) => ({
      status: 200,
      body: path.includes('cursor=a%2Fb')
        ? { items: [{ ...input, id: 'lv_2' }], nextCursor: null }
        : { items: [input], nextCursor: 'a/b' },
    }));
    const json = await commandLine(['inputs', 'list', '--json'], { env: env(api.url) });
    expect((JSON.parse(json.stdout).inputs as { id: string }[]).map(({ id }) => id)).toEqual(['lv_1', 'lv_2']);
    const human = await commandLine(['inputs', 'list'], { env: env(api.url) });
    expect(human.stdout).toMatch(/^ID +NAME +INGEST +STATUS +CREATED\nlv_1 +show +rtmp +idle/);
  });

  it('keeps its table inside of the terminal', async () => {
    const long = { ...input, name: 'a name that goes on and on and on and on and on and on and on' };
    await using api = await apiServer(() => ({ status: 200, body: { items: [long], nextCursor: null } }));
    const { stdout } = await commandLine(['inputs', 'list'], { env: env(api.url), tty: true, width: 60 });
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
    expect(stdout).toContain('…');
    const piped = await commandLine(['inputs', 'list'], { env: env(api.url) });
    expect(piped.stdout).toContain(long.name);
  });

  it('says on stderr that there are none', async () => {
    await using api = await apiServer(() => ({ status: 200, body: { items: [], nextCursor: null } }));
    const { stdout, stderr } = await commandLine(['inputs', 'list'], { env: env(api.url) });
    expect(stdout).toBe('');
    expect(stderr).toContain('No live inputs yet.');
  });

  it('escapes ids and rotates', async () => {
    await using api = await apiServer(() => ({ status: 200, body: withKey }));
    await commandLine(['inputs', 'get', '../x'], { env: env(api.url) });
    expect(api.seen[0]?.path).toBe('/v1/live-inputs/..%2Fx');
    const rotated = await commandLine(['inputs', 'rotate-key', 'lv_1', '--json'], { env: env(api.url) });
    expect(JSON.parse(rotated.stdout)).toMatchObject({ type: 'input', streamKey: 'sk_live_x' });
    expect(api.seen[1]).toMatchObject({ method: 'POST', path: '/v1/live-inputs/lv_1/rotate-stream-key' });
  });

  it('deletes only with a yes', async () => {
    await using api = await apiServer(({ method }) => ({
      status: 200,
      body: method === 'GET' ? input : { id: 'lv_1' },
    }));
    const deletions = () => api.seen.filter(({ method }) => method === 'DELETE').map(({ path }) => path);
    const refused = await commandLine(['inputs', 'delete', 'lv_1'], { env: env(api.url) });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('Try: streams inputs delete lv_1 --yes\n');
    const denied = await commandLine(['inputs', 'delete', 'lv_1'], { env: env(api.url), tty: true, answers: [false] });
    expect(denied.code).toBe(130);
    expect(deletions()).toEqual([]);
    const done = await commandLine(['inputs', 'delete', 'lv_1', '--yes', '--json'], { env: env(api.url) });
    expect(JSON.parse(done.stdout)).toEqual({ version: 1, type: 'deleted', id: 'lv_1' });
    await commandLine(['inputs', 'delete', 'lv_1', '--force'], { env: env(api.url), tty: true, answers: [true] });
    expect(deletions()).toEqual(['/v1/live-inputs/lv_1', '/v1/live-inputs/lv_1?force=true']);
  });
});

describe('playback mint', () => {
  const minted = {
    token: 't.o.k',
    kid: 'rk_1',
    alg: 'EdDSA',
    expires_at: '2026-11-20T01:00:00.000Z',
    input,
    url: 'https://h:4443/playback/lv_1?tok=t.o.k',
    watchUrl: 'http://h/watch/lv_1?tok=t.o.k',
    hlsUrl: 'http://h/hls/lv_1/index.m3u8?tok=t.o.k',
  };

  it('answers the documented shape', async () => {
    await using api = await apiServer(() => ({ status: 201, body: minted }));
    const { stdout, code } = await commandLine(['playback', 'mint', 'lv_1', '--ttl', '2d', '--json'], {
      env: env(api.url),
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      type: 'playback',
      url: minted.url,
      watchUrl: minted.watchUrl,
      hlsUrl: minted.hlsUrl,
      token: 't.o.k',
      kid: 'rk_1',
      alg: 'EdDSA',
      expiresAt: '2026-11-20T01:00:00.000Z',
    });
    expect(api.seen[0]).toMatchObject({ path: '/v1/live-inputs/lv_1/playback-tokens', body: { ttlSeconds: 172_800 } });
    const human = await commandLine(['playback', 'mint', 'lv_1'], { env: env(api.url) });
    expect(human.stdout).toMatch(/Watch page +http:\/\/h\/watch/);
    expect(human.stdout).toMatch(/HLS +http:\/\/h\/hls\/lv_1\/index\.m3u8/);
    expect(api.seen[1]?.body).toEqual({ ttlSeconds: 3600 });
  });
});

describe('errors of the API', () => {
  it.each([
    [
      404,
      { error: { code: 'NOT_FOUND', message: 'there is no such input', hint: 'streams inputs list' } },
      'NOT_FOUND',
      5,
    ],
    [409, { error: { code: 'CONFLICT', message: 'taken' } }, 'CONFLICT', 5],
    [403, { error: { code: 'FORBIDDEN', message: 'scope' } }, 'FORBIDDEN', 3],
    [401, { error: { code: 'UNAUTHORIZED', message: 'no' } }, 'UNAUTHORIZED', 3],
    [429, {}, 'RATE_LIMITED', 1],
    [502, '<html>proxy</html>', 'INTERNAL', 1],
    [200, '<html>another server</html>', 'API_UNREACHABLE', 4],
  ])('%i %j is %s', async (status, body, code, exit) => {
    await using api = await apiServer(() => ({ status, body }));
    const result = await commandLine(['inputs', 'get', 'lv_1', '--json'], { env: env(api.url) });
    expect(result.code).toBe(exit);
    expect(result.stdout).toBe('');
    expect(JSON.parse(result.stderr).error.code).toBe(code);
    expect(result.stderr).not.toContain('ak_live');
  });

  it('says how to start a stack when nothing answers', async () => {
    const gone = await apiServer(() => ({ status: 200, body: {} }));
    await gone[Symbol.asyncDispose]();
    const { code, stderr } = await commandLine(['inputs', 'list'], { env: env(gone.url) });
    expect(code).toBe(4);
    expect(stderr).toBe(
      `✖ can't reach the API at ${gone.url}: nothing listens there [API_UNREACHABLE]\nTry: streams serve\n`,
    );
  });
});

describe('the ladder of an input', () => {
  it('is given at create and update in one form, and refused before anything is asked', async () => {
    await using api = await apiServer(() => ({ status: 200, body: { ...withKey, ladder: '720p:2500k,480p' } }));
    const made = await commandLine(['inputs', 'create', '--name', 'show', '--ladder', '480P,720p:2.5M'], {
      env: env(api.url),
    });
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(/Ladder +720p:2500k,480p\n/);
    await commandLine(['inputs', 'update', 'lv_1', '--ladder', 'auto'], { env: env(api.url) });
    expect(api.seen.map(({ body }) => body)).toEqual([
      { name: 'show', ingest: 'rtmp', ladder: '720p:2500k,480p' },
      { ladder: 'auto' },
    ]);
    const wrong = await commandLine(['inputs', 'create', '--name', 'show', '--ladder', '4k'], { env: env(api.url) });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('720p:2500k,480p:1M') });
    expect(api.seen).toHaveLength(2);
  });

  it('is shown with what the engine makes of it', async () => {
    const live = { ...input, status: 'live', ladder: 'auto' };
    await using api = await apiServer(({ path }) => ({
      status: 200,
      body: path.endsWith('/status')
        ? { status: 'live', stats: { renditions: 'none: the engine has no ffmpeg' } }
        : live,
    }));
    const { stdout } = await commandLine(['inputs', 'get', 'lv_1'], { env: env(api.url) });
    expect(stdout).toMatch(/Ladder +auto\n/);
    expect(stdout).toMatch(/Renditions +none: the engine has no ffmpeg\n/);
    const json = await commandLine(['inputs', 'get', 'lv_1', '--json'], { env: env(api.url) });
    expect(JSON.parse(json.stdout).input).toMatchObject({
      ladder: 'auto',
      renditions: 'none: the engine has no ffmpeg',
    });
  });
});
