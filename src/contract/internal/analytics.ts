import { z } from 'zod';
import { done, endpoint, timestampMs } from './endpoint.ts';

export const rowId = z.string().regex(/^[0-9A-Za-z_.:-]{1,64}$/);
const count = z.int().min(0);

const session = {
  /** Unique over all relays and restarts; the same in every report of a session. */
  id: rowId,
  org: z.string().max(64),
  /** What is published or watched: lv_…, as_… or pb_…. */
  inputId: z.string().max(64),
  startedAt: timestampMs,
  /** null while it goes on. */
  endedAt: timestampMs.nullable().default(null),
  /** When these figures were taken: of two reports the later one counts. */
  updatedAt: timestampMs,
  bytes: count.default(0),
  objects: count.default(0),
  reason: z.string().max(200).nullable().default(null),
  transport: z.string().max(32).nullable().default(null),
  /** Of MoQT, e.g. `moqt-18`. */
  version: z.string().max(32).nullable().default(null),
};

export const broadcastSession = z.object(session);
export const viewerSession = z.object({
  ...session,
  viewer: z.string().max(128),
  /** From the session's opening to the first object of a media track, ms; null before it. */
  startupMs: z.int().min(0).nullable().default(null),
  /** Objects it was not given since it was slow. */
  dropped: count.default(0),
  groupsDropped: count.default(0),
});

/** Sessions of a relay. Sending a batch again changes nothing. */
export const analytics = endpoint({
  request: z.object({
    /** Name of the relay. */
    node: z.string().max(128),
    broadcasts: z.array(broadcastSession).max(5000).default([]),
    viewers: z.array(viewerSession).max(5000).default([]),
  }),
  answer: done,
});
