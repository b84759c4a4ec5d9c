import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * How an engine shows a relay that it is one of ours without showing the service token they share: an HMAC of what it wants
 * to do (`publish <input id>`, `ingest`), in hexadecimal. As secret as a stream key.
 */
export function engineProof(serviceToken: string, purpose: string): string {
  return createHmac('sha256', serviceToken).update(`streams engine: ${purpose}`).digest('hex');
}

export function isEngineProof(serviceToken: string, purpose: string, shown: string): boolean {
  const right = Buffer.from(engineProof(serviceToken, purpose));
  const given = Buffer.from(shown);
  return given.length === right.length && timingSafeEqual(given, right);
}
