import { z } from 'zod';
import { words } from '../../core/lenient.ts';
import { assetStates } from '../asset-state.ts';
import { done, endpoint, publicId, remoteAddress } from './endpoint.ts';

const created = z.object({ orgId: z.string(), assetId: z.string(), playbackId: z.string() });

/** The packager tells how far an asset is. */
export const assetState = endpoint({
  request: z.object({
    status: z.enum(assetStates),
    percent: z.int().min(0).max(100).optional(),
    reason: words(500).optional(),
    durationMs: z.int().min(0).optional(),
    bytes: z.int().min(0).optional(),
  }),
  answer: done,
});

/** A broadcast that is going to be kept becomes a new asset. */
export const recordings = endpoint({
  request: z.object({ inputId: publicId, startedAt: z.number() }),
  answer: created,
});

/** Of these assets, the ones that were deleted: their media may go. */
export const assetsGone = endpoint({
  request: z.object({ ids: z.array(publicId).max(1000) }),
  answer: z.object({ gone: z.array(z.string()) }),
});

/** Asks whether an API key may upload, and into which asset. */
export const uploadAuthorize = endpoint({
  request: z.object({
    apiKey: z.string().max(256),
    remoteAddress,
    /** A new upload: into a new asset, or into one that waits for its media. `bytes`: it will have. */
    create: z.object({ name: z.string(), assetId: publicId.optional(), bytes: z.int().min(0).optional() }).optional(),
    /** An upload that is under way will have so many bytes, of which less was known before. */
    promise: z.object({ assetId: publicId, bytes: z.int().min(0) }).optional(),
  }),
  answer: z.object({ orgId: z.string(), assetId: z.string().optional(), playbackId: z.string().optional() }),
});
