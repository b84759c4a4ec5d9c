import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { besideEngine } from '../../addresses.ts';
import { hashSecret } from '../../auth/secrets.ts';
import { srtPassphrase } from '../../auth/srt-passphrase.ts';
import type { Db, LiveInputRow } from '../../store/schema.ts';
import type { Call } from '../define.ts';
import { isoTime, time } from '../fields.ts';

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

/** How the name in the addresses was chosen. */
export const addresses = z
  .object({
    by: z.enum(['setting', 'request', 'certificate', 'machine']),
    name: z.string(),
  })
  .optional()
  .describe(
    "The name in the addresses: what the server was told (`setting`), or, where it is bound to all addresses, the name the request came by, its certificate's, or an address of the machine",
  );

/** Only on REST's create and rotate, since they hold the key, and without it on get; only for what listens. */
export const publishUrls = z.object({
  addresses,
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

/** Nothing where the server is bound to one address: there was nothing to choose. */
export function viewAddresses(context: Call['context']): { addresses?: z.input<typeof addresses> } {
  const { by, name } = context.endpoints().addresses;
  return by === 'bind' ? {} : { addresses: { by, name } };
}

type Urls = NonNullable<z.input<typeof publishUrls>['urls']>;

export function viewPublishUrls(
  { context }: Call,
  input: z.output<typeof liveInputWithKey>,
): z.input<typeof publishUrls> {
  const { id, ingest, stream_key_cleartext: key } = input;
  const urls = ingestUrls(context, id, ingest);
  const withKey: Urls = { ...urls };
  if (urls.moqt !== undefined) withKey.moqt = `${urls.moqt}?sk=${key}`;
  if (urls.srt !== undefined) {
    const passphrase = srtPassphrase(context, hashSecret(key));
    withKey.srt = `${urls.srt}&passphrase=${passphrase}&pbkeylen=32`;
    withKey.srtPassphrase = passphrase;
  }
  if (urls.rtmpServer !== undefined) {
    withKey.rtmp = `${urls.rtmp}?sk=${key}`;
    if (urls.rtmps !== undefined) withKey.rtmps = `${urls.rtmps}?sk=${key}`;
    withKey.rtmpStreamKey = `${id}?sk=${key}`;
  }
  return { ...viewAddresses(context), ...(Object.keys(urls).length > 0 && { urls: withKey }) };
}

/** Where the encoder of an input pushes to, without its key. */
export function viewIngestUrls({ context }: Call, input: z.output<typeof liveInput>): z.input<typeof publishUrls> {
  const urls = ingestUrls(context, input.id, input.ingest);
  return { ...viewAddresses(context), ...(Object.keys(urls).length > 0 && { urls }) };
}

function ingestUrls(context: Call['context'], id: string, ingest: z.output<typeof ingestKind>): Urls {
  const told = context.endpoints();
  const { rtmpUrl, rtmpsUrl, srtUrl, relayUrl } = told;
  if (ingest === 'fmp4') {
    const fmp4 = besideEngine(told, told.publicFmp4Url);
    if (fmp4 === undefined) return {};
    return { fmp4: `${fmp4}/ingest/${id}`, ...(relayUrl !== undefined && { moqt: `${relayUrl}/publish/${id}` }) };
  }
  if (ingest === 'whip') {
    const whip = besideEngine(told, told.publicWhipUrl);
    return whip === undefined ? {} : { whip: `${whip}/whip/${id}` };
  }
  if (ingest === 'srt') return srtUrl === undefined ? {} : { srt: `${srtUrl}?streamid=${id}` };
  if (rtmpUrl === undefined) return {};
  const rtmpServer = `${rtmpUrl}/live`;
  return {
    rtmp: `${rtmpServer}/${id}`,
    ...(rtmpsUrl !== undefined && { rtmps: `${rtmpsUrl}/live/${id}` }),
    rtmpServer,
  };
}
