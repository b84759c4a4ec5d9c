import { z } from 'zod';
import { eachThatFits, words } from '../../core/lenient.ts';
import { endpoint, timestampMs } from './endpoint.ts';

export const rowId = z.string().regex(/^[0-9A-Za-z_.:-]{1,64}$/);
const count = z.int().min(0);
/** What its column holds. */
const maxStartupMs = 2 ** 31 - 1;
const maxRows = 5000;

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
  reason: words(200).nullable().default(null),
  transport: words(32).nullable().default(null),
  /** Of MoQT, e.g. `moqt-18`. */
  version: words(32).nullable().default(null),
};

export const broadcastSession = z.object(session);
export const viewerSession = z.object({
  ...session,
  viewer: words(128),
  /** From the session's opening to the first object of a media track, ms; null before it. */
  startupMs: z
    .int()
    .min(0)
    .transform((value) => Math.min(value, maxStartupMs))
    .nullable()
    .default(null),
  /** Objects it was not given since it was slow. */
  dropped: count.default(0),
  groupsDropped: count.default(0),
});

/** Sessions of a relay. Sending a batch again changes nothing. */
export const analytics = endpoint({
  request: z.object({
    /** Name of the relay. */
    node: words(128),
    broadcasts: eachThatFits(broadcastSession, maxRows).prefault([]),
    viewers: eachThatFits(viewerSession, maxRows).prefault([]),
  }),
  answer: z.object({
    ok: z.literal(true),
    /** Rows that control cannot keep. They are refused as often as they are sent. */
    refused: z.int(),
  }),
});
