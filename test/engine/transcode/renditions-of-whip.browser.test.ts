import { expect, it } from 'vitest';
import { decodeCatalog } from '../../../src/codec/catalog/streams-catalog.ts';
import { launchChromium } from '../../helpers/chromium.ts';
import { publishFrom, sayGoodbye, startWhipPage, whipChromiumArgs } from '../../helpers/whip-page.ts';
import { collect, inputId, namespace, startHarness, streamKey, until } from '../harness.ts';
import { decodeTimes, expectDecodes } from '../received.ts';

it('VP8 and Opus of Chromium, over WHIP, play as H.264 and AAC', { timeout: 90_000 }, async () => {
  await using harness = await startHarness({ ladder: '180p' });
  await using site = await startWhipPage();
  await using browser = await launchChromium({ args: whipChromiumArgs });
  const page = await browser.newPage();
  await page.goto(site.url);
  const url = `${harness.engine.httpUrl}/whip/${inputId}`;
  expect(await publishFrom(page, { url, key: streamKey, codec: 'video/VP8' })).toMatchObject({ status: 201 });
  await until(() => harness.relays.length > 0, 'the engine connects to the relay', 15_000);
  const { session, announced } = harness.relays[0]!;
  await announced;
  const take = async (name: string) =>
    collect(await session.subscribe({ namespace, name }, { filter: { type: 'unfiltered' } }));
  const catalogs = await take('.catalog');
  const tracks = () => catalogs.flatMap(({ objects }) => objects.map(({ payload }) => decodeCatalog(payload).tracks));
  await until(() => tracks().at(-1)?.length === 4, 'a catalog', 20_000);
  const [source, rung, opus, aac] = tracks().at(-1)!;
  expect([source, rung, opus, aac]).toMatchObject([
    { kind: 'video', codec: expect.stringMatching(/^vp08\./) },
    { name: 'video/180p', codec: expect.stringMatching(/^avc1\./), width: 320, height: 180 },
    { name: 'audio', codec: 'opus' },
    { name: 'audio/aac', codec: 'mp4a.40.2', sampleRate: 48_000 },
  ]);
  const [picture, sound] = [await take(rung!.name), await take(aac!.name)];
  await until(() => decodeTimes(picture).length > 60 && decodeTimes(sound).length > 100, 'both renditions', 40_000);
  expect(await sayGoodbye(page)).toBe(200);
  await until(() => harness.engine.stats().live.length === 0, 'the broadcast ends with the session');
  expect(await expectDecodes([picture, sound])).toMatchObject([
    { codec_name: 'h264', width: 320, height: 180 },
    { codec_name: 'aac' },
  ]);
});
