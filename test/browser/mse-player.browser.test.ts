import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Catalog } from '../../src/codec/catalog/streams-catalog.ts';
import { FlvReader } from '../../src/codec/flv/flv-reader.ts';
import { RtmpToUnits } from '../../src/engine/ingest/rtmp/to-units.ts';
import { Packager } from '../../src/engine/package/from-units.ts';
import type { attachPlayer, Player, Viewer, ViewerListener, ViewerObject } from '../../src/sdk/index.ts';
import { demoFile } from '../engine/harness.ts';
import { launchChromium } from '../helpers/chromium.ts';
import { bundle, sourceFile } from './bundle.ts';

type Packaged = { catalog: Catalog; objects: (Omit<ViewerObject, 'payload' | 'receivedAt'> & { payload: string })[] };

/** In the page: the player, and a viewer that delivers what the test hands it. */
type InPage = { attach: typeof attachPlayer; player: Player; listener: ViewerListener; problems: string[] };

declare global {
  var playerTest: InPage;
}

let browser: Browser;
let script: string;
let demo: Uint8Array;
const site = createServer((request, response) => {
  const isScript = request.url === '/player.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(
    isScript ? script : '<video muted autoplay playsinline></video><script type=module src=/player.js></script>',
  );
});

beforeAll(async () => {
  demo = await readFile(demoFile);
  script = await bundle(`import { attachPlayer } from '${sourceFile('src/sdk/player/mse-player.ts')}';
    globalThis.playerTest = { attach: attachPlayer, problems: [] };`);
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await new Promise((resolve) => site.close(resolve));
});

/** Of the demo, in seconds, less what a player is behind: by then all that was delivered is in the buffer. */
const all = 7;

/** The demo as an engine started at `startedAt` packages them: its media clock begins there. */
function packaged(startedAt: number): Packaged {
  let catalog: Catalog | undefined;
  const objects: Packaged['objects'] = [];
  const groups = new Map<string, { groupId: number; objectId: number }>();
  const packager = new Packager(
    {
      beginGroup: (track, groupId) => groups.set(track, { groupId, objectId: 0 }),
      object(track, payload) {
        const group = groups.get(track)!;
        const kind = track.startsWith('video') ? 'video' : 'audio';
        const { groupId, objectId } = group;
        objects.push({ track, kind, groupId, objectId, payload: Buffer.from(payload).toString('base64') });
        group.objectId++;
      },
      catalog: (value) => {
        catalog = value;
      },
    },
    startedAt,
  );
  const units = new RtmpToUnits();
  for (const tag of new FlvReader().push(demo)) {
    if (tag.type === 'data') continue;
    const unit = units.unit(tag.type, tag.timestamp, tag.body, startedAt + tag.timestamp);
    if (unit !== undefined) packager.push(unit);
  }
  if (catalog === undefined) throw new Error('no catalog');
  return { catalog, objects };
}

async function openPlayer(catalog: Catalog): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => globalThis.playerTest !== undefined);
  await page.evaluate((catalog) => {
    const viewer = {
      catalog,
      listen(listener: ViewerListener) {
        playerTest.listener = listener;
        return () => {};
      },
      select() {},
    } as unknown as Viewer;
    const onProblem = (error: Error) => playerTest.problems.push(error.message);
    playerTest.player = playerTest.attach(viewer, document.querySelector('video')!, { onProblem });
  }, catalog);
  return page;
}

const deliver = (page: Page, objects: Packaged['objects']) =>
  page.evaluate((objects) => {
    for (const { payload, ...rest } of objects) {
      const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0));
      playerTest.listener.onObject?.({ ...rest, payload: bytes, receivedAt: Date.now() });
    }
  }, objects);

/** Until the playhead stands within half a second of the end of what was delivered, which is at least `seconds`. */
const playsToTheEnd = (page: Page, seconds: number) =>
  page.waitForFunction(
    (seconds) => {
      const video = document.querySelector('video')!;
      const { length } = video.buffered;
      return length > 0 && video.buffered.end(length - 1) - video.currentTime < 0.5 && video.currentTime >= seconds;
    },
    seconds,
    { timeout: 15_000, polling: 50 },
  );

const look = (page: Page) =>
  page.evaluate(() => {
    const video = document.querySelector('video')!;
    const ranges = Array.from({ length: video.buffered.length }, (_, i) => [
      video.buffered.start(i),
      video.buffered.end(i),
    ]);
    const { rebuilds, decodedFrames } = playerTest.player.stats();
    return { time: video.currentTime, ranges, rebuilds, decodedFrames, problems: playerTest.problems };
  });

describe('the player', () => {
  it('builds its MediaSource anew when the browser cannot decode the media, and plays on', async () => {
    const { catalog, objects } = packaged(100_000);
    const page = await openPlayer(catalog);
    await deliver(page, objects);
    await playsToTheEnd(page, 100 + all);
    const before = await look(page);
    expect(before).toMatchObject({ rebuilds: 0, problems: [] });

    // Its picture's NAL unit claims to be longer than the sample: no decoder takes that.
    const victim = objects.findLast(({ kind, objectId }) => kind === 'video' && objectId > 0)!;
    const broken = Buffer.from(victim.payload, 'base64');
    broken.writeUInt32BE(0x7fffffff, broken.indexOf('mdat') + 4);
    await deliver(page, [{ ...victim, payload: broken.toString('base64') }]);
    await page.waitForFunction(() => playerTest.player.stats().rebuilds === 1, null, { timeout: 10_000 });

    await deliver(page, packaged(110_000).objects);
    await playsToTheEnd(page, 110 + all);
    expect(await look(page)).toMatchObject({ rebuilds: 1, problems: [] });
    await page.close();
  });

  it('puts a media clock that began anew behind what it has, and plays on without a rebuild', async () => {
    const { catalog, objects } = packaged(100_000);
    const page = await openPlayer(catalog);
    await deliver(page, objects);
    await playsToTheEnd(page, 100 + all);
    const before = await look(page);
    const end = before.ranges.at(-1)![1]!;

    await deliver(page, packaged(5000).objects);
    await playsToTheEnd(page, end + all);
    const after = await look(page);
    expect(after).toMatchObject({ rebuilds: 0, problems: [] });
    expect(after.time).toBeGreaterThan(end);
    expect(after.decodedFrames).toBeGreaterThan(before.decodedFrames);
    // Sound and picture were shifted alike: the new media is one range, right behind the old.
    const begin = after.ranges.at(-1)![0]!;
    expect(begin).toBeLessThan(end + 0.5);
    await page.close();
  });
});
