import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serve, startServe } from '../helpers/streams-cli.ts';
import { commandLine } from './command-line.ts';

let serve: Serve;
let env: NodeJS.ProcessEnv;
const json = async (...argv: string[]) => {
  const result = await commandLine([...argv, '--json'], { env });
  expect(result.stderr, argv.join(' ')).toBe('');
  return result.lines()[0]!;
};

beforeAll(async () => {
  serve = await startServe();
  env = { STREAMS_API_URL: serve.urls.http, STREAMS_API_KEY: serve.apiKey };
});
afterAll(() => serve.stop());

describe('webhooks', () => {
  it('registers, lists and deletes, and shows the secret once', async () => {
    const created = await json('webhooks', 'create', 'https://93.184.215.14/hook', '--event', 'input.live');
    const { webhook, secret } = created as unknown as { webhook: { id: string }; secret: string };
    expect(created).toMatchObject({ type: 'webhook', webhook: { events: ['input.live'] } });
    expect(secret.length).toBeGreaterThan(20);
    const listed = await json('webhooks', 'list');
    expect(listed.webhooks).toHaveLength(1);
    expect(JSON.stringify(listed)).not.toContain(secret);
    expect(await json('webhooks', 'deliveries', webhook.id, '--status', 'failed')).toMatchObject({ deliveries: [] });
    expect(await json('webhooks', 'enable', webhook.id)).toMatchObject({
      webhook: { id: webhook.id, disabledAt: null },
    });
    expect((await commandLine(['webhooks', 'replay', 'none'], { env })).code).not.toBe(0);
    expect((await commandLine(['webhooks', 'delete', webhook.id], { env })).code).toBe(2);
    await json('webhooks', 'delete', webhook.id, '--yes');
    expect((await json('webhooks', 'list')).webhooks).toEqual([]);
  });
});

describe('analytics', () => {
  it('answers before anybody has watched', async () => {
    expect(await json('analytics', 'viewers')).toMatchObject({ viewers: 0, inputs: [] });
    expect(await json('analytics', 'summary', '--by', 'day', '--last', '2d')).toMatchObject({
      by: 'day',
      items: expect.any(Array),
    });
    expect(await json('analytics', 'broadcasts', '--last', '1h')).toMatchObject({ broadcasts: [] });
    expect(await json('analytics', 'sessions', '--viewer', 'alice')).toMatchObject({ sessions: [] });
    expect(await json('analytics', 'concurrency', '--last', '1h', '--step', '10m')).toMatchObject({ peak: 0 });
    expect((await commandLine(['analytics', 'viewers'], { env })).stderr).toBe('Nobody is watching.\n');
  });
});

describe('assets', () => {
  it('lists, shows and deletes', async () => {
    const made = await fetch(`${serve.urls.http}/v1/assets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${serve.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'film' }),
    });
    const { id } = (await made.json()) as { id: string };
    expect(await json('assets', 'list', '--status', 'uploading')).toMatchObject({ assets: [{ id, name: 'film' }] });
    expect(await json('assets', 'get', id)).toMatchObject({ asset: { status: 'uploading' } });
    await json('assets', 'delete', id, '--yes');
    expect((await commandLine(['assets', 'get', id], { env })).code).toBe(5);
  });
});
