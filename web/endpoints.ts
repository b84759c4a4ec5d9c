import { fromHex, StreamsError } from '../src/sdk/index.ts';

/** `/endpoints.json`: where the relay is, and the certificate to accept when it is a self-signed one. */
export type Endpoints = { relayUrl: string; certificateHash: Uint8Array | undefined };

/** Throws API_UNREACHABLE. */
export async function fetchEndpoints(): Promise<Endpoints> {
  try {
    const response = await fetch('/endpoints.json', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    const { relay } = (await response.json()) as { relay: { url: string; certificateSha256?: string } };
    const hash = relay.certificateSha256;
    return { relayUrl: relay.url, certificateHash: hash === undefined ? undefined : fromHex(hash.replaceAll(':', '')) };
  } catch (cause) {
    throw new StreamsError('API_UNREACHABLE', 'the server does not say where its relay is', { cause });
  }
}
