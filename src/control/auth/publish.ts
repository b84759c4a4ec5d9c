import type { WrappedSrtKeys } from '../../access/srt-keys.ts';
import { StreamsError } from '../../core/errors.ts';
import { isId, isKey } from '../../core/ids.ts';
import type { ControlContext } from '../context.ts';
import type { IngestKind } from '../store/schema.ts';
import { failed } from './authenticate.ts';
import { hashSecret, matchesHash } from './secrets.ts';
import { findSrtPassphrase, redeemSrtKeys } from './srt-passphrase.ts';

/**
 * `moqt`: a MoQT publisher, which inputs of kind fmp4 take. `engine`: our own engine, handing on what it ingested in the
 * declared way. Without a stream key somebody has vouched for the publisher who holds the service token.
 */
export type PublishRequest = {
  inputId: string;
  streamKey?: string | undefined;
  /** In place of the key: what an SRT caller encrypted under a passphrase. */
  srtKeys?: WrappedSrtKeys | undefined;
  ingest: IngestKind | 'moqt' | 'engine';
  remoteAddress?: string | undefined;
};
/** `at`: when it was given, so that a later revocation can be told from an earlier one. */
export type PublishGrant = {
  orgId: string;
  inputId: string;
  namespace: [string, string, string];
  at: number;
  record: boolean;
  ladder: string;
  /** What opens the keys of the SRT caller, where it showed them and no stream key. */
  srtPassphrase?: string;
};

/** What an unknown input is compared with, so that it takes as long as a wrong key. */
const noKey = hashSecret('no key has this hash');
const newKeyHint = 'Rotate the key to get a new one: streams inputs rotate-key <id>';

/**
 * Whether a stream key, or its SRT passphrase, opens an input. Throws UNAUTHORIZED in the same words for an unknown input and a
 * wrong key, FORBIDDEN when the input is disabled, CONFLICT when it takes another kind of ingest, RATE_LIMITED after too many
 * failures of one address.
 */
export async function authorizePublish(context: ControlContext, request: PublishRequest): Promise<PublishGrant> {
  const known = isId('lv', request.inputId);
  const rows = known
    ? await context.db
        .selectFrom('live_inputs')
        .innerJoin('stream_keys', 'stream_keys.input_id', 'live_inputs.id')
        .select([
          'live_inputs.org_id',
          'live_inputs.ingest',
          'live_inputs.disabled_at',
          'live_inputs.record',
          'live_inputs.ladder',
          'stream_keys.hash',
          'stream_keys.revoked_at',
        ])
        .where('live_inputs.id', '=', request.inputId)
        .where((eb) =>
          eb.or([eb('stream_keys.revoked_at', 'is', null), eb('stream_keys.revoked_at', '>', context.now())]),
        )
        .execute()
    : [];
  const { streamKey, srtKeys } = request;
  const refuse = (what: string, hint: string) =>
    failed(
      context,
      hostOf(request.remoteAddress),
      `${what} input ${known ? request.inputId : '(not an lv_ id)'}`,
      hint,
    );
  let opened: (typeof rows)[number] | undefined;
  let passphrase: string | undefined;
  if (streamKey === undefined && srtKeys !== undefined) {
    const found = await findSrtPassphrase(context, rows, srtKeys);
    if (found === undefined) throw await refuse('passphrase does not open', newKeyHint);
    opened = found.key;
    passphrase = found.passphrase;
    const input = { orgId: opened.org_id, inputId: request.inputId, key: opened };
    if (!(await redeemSrtKeys(context, input, srtKeys)))
      throw await refuse('an SRT handshake of before does not open', 'The encoder must make new keys each time.');
  } else {
    for (const row of rows) if (streamKey === undefined || matchesHash(streamKey, row.hash)) opened = row;
    if (rows.length === 0) matchesHash(streamKey ?? '', noKey);
    if (!opened || (streamKey !== undefined && !isKey('sk_live', streamKey)))
      throw await refuse('stream key does not open', newKeyHint);
  }
  if (opened.disabled_at !== null)
    throw new StreamsError('FORBIDDEN', `input ${request.inputId} is disabled`, {
      hint: `Enable it: streams inputs enable ${request.inputId}`,
    });
  const wanted = request.ingest === 'moqt' ? 'fmp4' : request.ingest;
  if (wanted !== 'engine' && wanted !== opened.ingest)
    throw new StreamsError('CONFLICT', `this input takes ${opened.ingest}, not ${request.ingest}`);
  return {
    orgId: opened.org_id,
    inputId: request.inputId,
    namespace: ['stream', opened.org_id, request.inputId],
    at: context.now(),
    record: opened.record === 1,
    ladder: opened.ladder,
    ...(passphrase !== undefined && { srtPassphrase: passphrase }),
  };
}

/** `127.0.0.1:5000` and `[::1]:5000` without the port, which differs with each connection. */
function hostOf(address = ''): string {
  const host = /^\[(.+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([^:]+):\d+$/.exec(address)?.[1] ?? address;
  return `publish ${host}`;
}
