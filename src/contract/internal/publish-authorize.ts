import { z } from 'zod';
import { endpoint, remoteAddress } from './endpoint.ts';

export const ingestKinds = ['rtmp', 'srt', 'whip', 'fmp4'] as const;

const base64Bytes = z
  .string()
  .max(128)
  .transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

/** What an SRT caller without a stream key shows instead: its session keys under the passphrase, in base64. */
const srtKeys = z
  .object({ salt: base64Bytes, keyBytes: z.int(), wrapped: base64Bytes })
  .refine(({ salt }) => salt.length === 16, 'the salt has 16 bytes')
  .refine(({ keyBytes }) => [16, 24, 32].includes(keyBytes), 'a key has 16, 24 or 32 bytes');

/** Asks whether somebody may publish to an input. Refused with UNAUTHORIZED, FORBIDDEN, CONFLICT or RATE_LIMITED. */
export const publishAuthorize = endpoint({
  request: z.object({
    kind: z.literal('publish'),
    inputId: z.string().max(256),
    /** Absent where the holder of the service token has checked it already. */
    streamKey: z.string().max(256).optional(),
    srtKeys: srtKeys.optional(),
    /** `moqt`: a MoQT publisher, which inputs of kind fmp4 take. `engine`: an engine that hands on what it ingested. */
    ingest: z.enum([...ingestKinds, 'moqt', 'engine']),
    remoteAddress: remoteAddress.optional(),
  }),
  answer: z.object({
    orgId: z.string(),
    inputId: z.string(),
    namespace: z.array(z.string()).min(1),
    /** When control decided, ms since the Unix epoch: a revocation from before does not count. */
    at: z.number(),
    /** The broadcast is kept as an asset. */
    record: z.boolean(),
    /** Renditions, as `parseLadder` reads them. */
    ladder: z.string(),
    /** Opens `srtKeys` of the request. */
    srtPassphrase: z.string().optional(),
  }),
});
