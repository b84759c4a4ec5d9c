import { sessionCodes } from '../../../src/codec/moqt/codes.ts';
import type { Dialect } from '../../../src/codec/moqt/dialect.ts';
import { decodeAuthToken } from '../../../src/codec/moqt/fields/auth-token.ts';
import type { Message } from '../../../src/codec/moqt/message.ts';
import { MoqtError } from '../../../src/codec/moqt/moqt-error.ts';
import { bytesEqual, hex } from '../../../src/core/bytes.ts';
import { isAssigned } from './code-points.ts';
import { fieldsOf } from './fields.ts';
import { fieldsOf14, fieldsOf16 } from './fields-older.ts';
import { heard } from './places.ts';
import { bytesOf, type Field, type Fields, plain, type Vector } from './vectors.ts';

/** The code that a session ends with for each reason of moqtap-codec's; everything else is a violation. */
const closeCodes: Readonly<Record<string, number>> = { KeyValueFormatting: sessionCodes.keyValueFormattingError };

const isWide = (field: Field | undefined) => typeof field === 'string' && /^\d{16,}$/.test(field);

/** Something in it is above 2^53-1. */
export function hasWide(field: Field): boolean {
  if (typeof field !== 'object') return isWide(field);
  return Object.values(field).some(hasWide);
}

/** What is above 2^53-1 is as good as that, or not known (of a number of streams), unless something is named by it. */
const ids: ReadonlySet<string> = new Set([
  'request_id',
  'existing_request_id',
  'subscription_request_id',
  'joining_request_id',
  'track_alias',
  'group_id',
  'subgroup_id',
  'object_id',
]);

/** The first difference, or undefined. */
export function difference(ours: Field | undefined, theirs: Field | undefined, at = ''): string | undefined {
  const name = at.slice(at.lastIndexOf('.') + 1);
  const isBounded = ours === 'unknown' || ours === Number.MAX_SAFE_INTEGER;
  if (isWide(theirs) && isBounded && !ids.has(name)) return undefined;
  if (typeof ours !== 'object' || typeof theirs !== 'object')
    return ours === theirs ? undefined : `${at}: ${JSON.stringify(ours)}, not ${JSON.stringify(theirs)}`;
  const [a, b] = [ours as Fields, theirs as Fields];
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[key], b[key], `${at}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function refusal(vector: Vector, run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (!(error instanceof MoqtError)) return `throws ${error}`;
    const wanted = closeCodes[vector.error!] ?? sessionCodes.protocolViolation;
    return error.sessionCode === wanted
      ? undefined
      : `closes with 0x${error.sessionCode.toString(16)}: ${error.message}`;
  }
  return `accepted, though ${vector.error}`;
}

/** As a session reads it: whole, and with what it looks into. */
function read(dialect: Dialect, bytes: Uint8Array): Message {
  const decoder = dialect.controlDecoder();
  const messages = decoder.push(bytes);
  if (messages.length !== 1 || !decoder.idle) throw new Error(`${messages.length} messages`);
  const message = messages[0]!;
  const tokens = 'parameters' in message ? message.parameters?.authorizationTokens : undefined;
  const own = 'authorizationTokens' in message ? message.authorizationTokens : undefined;
  for (const token of [...(tokens ?? []), ...(own ?? [])]) decodeAuthToken(dialect.varints, token);
  if ('trackProperties' in message) dialect.readTrackProperties(message.trackProperties);
  return message;
}

const codeNames = ['error_code', 'status_code'] as const;
const codeOf = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => codeNames.some((code) => code === name)));

/** A code that its draft does not know: kept, or as good as INTERNAL_ERROR. */
function hasUnassigned(draft: number, message: string, fields: Fields): boolean {
  return draft <= 16 && Object.values(codeOf(fields)).some((code) => !isAssigned(draft, message, code as number));
}

export function control(draft: number, dialect: Dialect, vector: Vector): string | undefined {
  const bytes = bytesOf(vector.hex);
  if (vector.fields === undefined) return refusal(vector, () => read(dialect, bytes));
  let message: Message;
  try {
    message = read(dialect, bytes);
  } catch (error) {
    if (hasWide(vector.fields) && error instanceof MoqtError) return undefined;
    return `refused: ${(error as Error).message}`;
  }
  const ours = draft === 14 ? fieldsOf14(message) : draft === 16 ? fieldsOf16(message) : fieldsOf(draft, message);
  const { fields: theirs, dropped } = heard(draft, vector.message!, plain(vector.fields) as Fields);
  const unassigned = hasUnassigned(draft, vector.message!, theirs);
  const found = difference(ours, unassigned ? { ...theirs, ...codeOf(ours) } : theirs);
  if (found !== undefined) return found;
  const isInvalid = 'parameters' in message && message.parameters?.invalidFilter !== undefined;
  // What is not passed on, or not as it was.
  if (hasWide(vector.fields) || dropped || unassigned || isInvalid) return undefined;
  const again = dialect.encodeMessage(message);
  const wanted = bytesOf(vector.canonical ?? vector.hex);
  return bytesEqual(again, wanted) ? undefined : `encoded as ${hex(again)}, not ${hex(wanted)}`.slice(0, 200);
}
