import { expect, it } from 'vitest';
import { draft19 } from '../../src/codec/moqt/draft19/draft19.ts';
import type { Message } from '../../src/codec/moqt/message.ts';
import { emptyBytes } from '../../src/core/bytes.ts';
import { establish } from '../../src/session/establish.ts';
import { pair, track } from './helpers.ts';

const ok = { type: 'requestOk', parameters: {}, trackProperties: emptyBytes } as const;

/** A draft-19 server that speaks bytes. */
async function rawServer(setup: Message) {
  const both = pair({ protocol: 'moqt-19' });
  const opening = establish(both.client, { role: 'client' });
  both.server.openUni().write(draft19.encodeMessage(setup));
  return { raw: both.server, session: await opening };
}

it('sends no more updates at once than the peer wants', async () => {
  const { raw, session } = await rawServer({ type: 'setup', maxRequestUpdates: 1 });
  const subscribing = session.subscribe(track);
  const { send, receive } = (await raw.acceptBidi())!;
  const decoder = draft19.controlDecoder();
  const heard: Message[] = [];
  const next = async () => {
    while (heard.length === 0) heard.push(...decoder.push((await receive.read())!));
    return heard.shift()!;
  };
  const say = (message: Message) => void send.write(draft19.encodeMessage(message));
  await next();
  say({ type: 'subscribeOk', trackAlias: 1, parameters: {}, trackProperties: emptyBytes });
  const subscription = await subscribing;
  const updates = [subscription.update({ priority: 1 }), subscription.update({ priority: 2 })];
  expect(await next()).toMatchObject({ type: 'requestUpdate', parameters: { subscriberPriority: 1 } });
  expect(heard).toEqual([]);
  say(ok);
  await updates[0];
  expect(await next()).toMatchObject({ type: 'requestUpdate', parameters: { subscriberPriority: 2 } });
  say(ok);
  await updates[1];
});

it('leaves without saying which requests it saw', async () => {
  const { raw, session } = await rawServer({ type: 'setup' });
  const control = (await raw.acceptUni())!;
  const decoder = draft19.controlDecoder();
  decoder.push((await control.read())!);
  session.sendGoaway({ timeoutMs: 5 });
  expect(decoder.push((await control.read())!)).toEqual([{ type: 'goaway', uri: '', timeoutMs: 5 }]);
});
