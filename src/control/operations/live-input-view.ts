import { z } from 'zod';
import { StreamsError } from '../../core/errors.ts';
import { hashSecret } from '../auth/secrets.ts';
import { srtPassphrase } from '../auth/srt-passphrase.ts';
import type { Db, LiveInputRow } from '../store/schema.ts';
import type { Call } from './define.ts';
import { isoTime, time } from './fields.ts';

export const ingestKind = z.enum(['rtmp', 'srt', 'whip', 'fmp4']);

/** A live input on the wire (design: existing SDKs speak these field names). */
export const liveInput = z.object({
  id: z.string(),
  external_input_id: z.string().nullable(),
  name: z.string(),
  status: z.enum(['idle', 'live', 'errored']),
  ingest: ingestKind,
  enabled: z.boolean().describe('A disabled input refuses publishers'),
  record: z.boolean().describe('Each broadcast becomes an asset'),
  ladder: z.string().describe('Renditions beside the source: `none`, `auto`, or as in `720p:2500k,480p`'),
  createdAt: time,
});

export const liveInputWithKey = liveInput.extend({
  stream_key_cleartext: z.string().describe('Shown this once; the server keeps a hash'),
});

export function viewLiveInput(row: LiveInputRow): z.input<typeof liveInput> {
  return {
    id: row.id,
    external_input_id: row.external_input_id,
    name: row.name,
    status: row.status,
    ingest: row.ingest,
    enabled: row.disabled_at === null,
    record: row.record === 1,
    ladder: row.ladder,
    createdAt: isoTime(row.created_at),
  };
}

/** Throws NOT_FOUND for an input of another org too. */
export async function findLiveInput({ context, db, caller }: Call, id: string): Promise<LiveInputRow> {
  await context.liveness.sweep(db);
  const row = await db
    .selectFrom('live_inputs')
    .selectAll()
    .where('id', '=', id)
    .where('org_id', '=', caller.orgId)
    .executeTakeFirst();
  if (row) return row;
  throw new StreamsError('NOT_FOUND', `there is no live input ${id}`, { hint: 'List them: streams inputs list' });
}

export async function storeStreamKey(db: Db, inputId: string, hash: string, now: number): Promise<void> {
  await db.insertInto('stream_keys').values({ hash, input_id: inputId, created_at: now, revoked_at: null }).execute();
}

/** Only on REST's create and rotate, since they hold the key; only for what listens. */
export const publishUrls = z.object({
  urls: z
    .object({
      rtmp: z.string().optional().describe('The whole address, for ffmpeg'),
      rtmps: z.string().optional().describe('The same over TLS, where the server has it'),
      rtmpServer: z.string().optional().describe('"Server" of OBS'),
      rtmpStreamKey: z.string().optional().describe('"Stream key" of OBS'),
      srt: z
        .string()
        .optional()
        .describe(
          'The whole address, for ffmpeg, OBS and srt-live-transmit: stream id, and the passphrase that opens it',
        ),
      srtPassphrase: z
        .string()
        .optional()
        .describe('For encoders that ask for it apart: it opens the input, encrypts the media, and is never sent'),
      whip: z.string().optional().describe('The WHIP endpoint, with the stream key as bearer token'),
      fmp4: z.string().optional().describe('Where to POST fragmented MP4, with the stream key as bearer token'),
      moqt: z.string().optional().describe('The whole address, for MoQT publishers (BroadcastPublisher)'),
    })
    .optional(),
});

export function viewPublishUrls(
  { context }: Call,
  input: z.output<typeof liveInputWithKey>,
): z.input<typeof publishUrls> {
  const { rtmpUrl, rtmpsUrl, srtUrl, engineUrl, relayUrl, publicHttpUrl } = context.endpoints();
  if (engineUrl !== undefined && input.ingest === 'fmp4') {
    const moqt = relayUrl && `${relayUrl}/publish/${input.id}?sk=${input.stream_key_cleartext}`;
    return { urls: { fmp4: `${publicHttpUrl}/ingest/${input.id}`, ...(moqt !== undefined && { moqt }) } };
  }
  if (engineUrl !== undefined && input.ingest === 'whip')
    return { urls: { whip: `${publicHttpUrl}/whip/${input.id}` } };
  if (srtUrl !== undefined && input.ingest === 'srt') {
    const passphrase = srtPassphrase(context, hashSecret(input.stream_key_cleartext));
    const srt = `${srtUrl}?streamid=${input.id}&passphrase=${passphrase}&pbkeylen=32`;
    return { urls: { srt, srtPassphrase: passphrase } };
  }
  if (rtmpUrl === undefined || input.ingest !== 'rtmp') return {};
  const rtmpServer = `${rtmpUrl}/live`;
  const rtmpStreamKey = `${input.id}?sk=${input.stream_key_cleartext}`;
  const rtmps = rtmpsUrl && `${rtmpsUrl}/live/${rtmpStreamKey}`;
  return {
    urls: {
      rtmp: `${rtmpServer}/${rtmpStreamKey}`,
      ...(rtmps !== undefined && { rtmps }),
      rtmpServer,
      rtmpStreamKey,
    },
  };
}
