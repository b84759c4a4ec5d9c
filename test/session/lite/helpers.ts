import { onTestFinished } from 'vitest';
import { type LiteVersion, liteProtocols } from '../../../src/codec/moqt/lite/version.ts';
import { establish } from '../../../src/session/establish.ts';
import type { EstablishOptions, IncomingSubscribe, Publication, Session } from '../../../src/session/types.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import type { ReceiveStream, Transport } from '../../../src/transport/transport.ts';

export const versions = liteProtocols;
export const track = { namespace: ['room', 'alice'], name: 'video' };

/** Both ends open. */
export async function sessions(
  version: LiteVersion,
  options: { client?: Partial<EstablishOptions>; server?: Partial<EstablishOptions> } = {},
): Promise<{ client: Session; server: Session; drop(): void }> {
  const pair = memoryPair({ protocol: version });
  onTestFinished(() => pair.drop());
  const [client, server] = await Promise.all([
    establish(pair.client, { role: 'client', ...options.client }),
    establish(pair.server, { role: 'server', ...options.server }),
  ]);
  return { client, server, drop: pair.drop };
}

/** A subscriber (client) and a publisher (server) that accepts everything. */
export async function subscribed(version: LiteVersion, options: Parameters<Session['subscribe']>[1] = {}) {
  const requests: IncomingSubscribe[] = [];
  const publications: Publication[] = [];
  const subscribe = (request: IncomingSubscribe): void => {
    requests.push(request);
    publications.push(request.accept({ alias: 1 }));
  };
  const both = await sessions(version, { server: { handlers: { subscribe } } });
  const subscription = await both.client.subscribe(track, options);
  await until(() => publications.length > 0);
  return { ...both, subscription, request: requests[0]!, publication: publications[0]!, requests, publications };
}

/** A peer that speaks bytes, at the client's end. */
export function rawClient(version: LiteVersion, options: Partial<EstablishOptions> = {}) {
  const pair = memoryPair({ protocol: version });
  onTestFinished(() => pair.drop());
  const opening = establish(pair.server, { role: 'server', ...options });
  opening.catch(() => {});
  return { raw: pair.client as Transport, opening };
}

export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** All bytes up to FIN; null when it was reset. */
export async function readAll(stream: ReceiveStream): Promise<Uint8Array | null> {
  const parts: number[] = [];
  try {
    for (let bytes = await stream.read(); bytes !== null; bytes = await stream.read()) parts.push(...bytes);
  } catch {
    return null;
  }
  return Uint8Array.from(parts);
}

/** What a raw peer has to say first. */
export function openSetup(raw: Transport, version: LiteVersion): void {
  if (version === 'moq-lite-04') return;
  const stream = raw.openUni();
  stream.write(Uint8Array.of(1, 1, 0));
  stream.finish();
}
