import type { Field, Fields } from './vectors.ts';

/**
 * Up to draft-16 a parameter of another message "MUST be ignored" (draft-14 9.2.1, draft-16 9.2.2), as is one that is not known up to draft-14,
 * and an unknown setup parameter or option in every draft. Where each may be, from the text of its definition.
 */
const asked = ['subscribe', 'track_status', 'publish_ok', 'subscribe_update'];
const told = ['subscribe_ok', 'track_status_ok', 'publish'];
const tokens14 = [
  'publish',
  'subscribe',
  'subscribe_update',
  'subscribe_namespace',
  'publish_namespace',
  'track_status',
  'fetch',
];
const places14: Readonly<Record<string, readonly string[]>> = {
  // FETCH_OK too: it tells of the track what SUBSCRIBE_OK does.
  '0x2': [...asked, ...told, 'fetch_ok'],
  '0x3': tokens14,
  '0x4': [...told, 'fetch_ok'],
};

const ofSubscriptions = ['publish_ok', 'subscribe', 'request_update'];
const places16: Readonly<Record<string, readonly string[]>> = {
  '0x2': ofSubscriptions,
  '0x3': [
    'publish',
    'subscribe',
    'request_update',
    'subscribe_namespace',
    'publish_namespace',
    'track_status',
    'fetch',
  ],
  // EXPIRES: "TODO: or REQUEST_OK".
  '0x8': ['subscribe_ok', 'publish', 'publish_ok', 'request_ok'],
  '0x9': ['subscribe_ok', 'publish', 'request_ok'],
  '0x10': [...ofSubscriptions, 'publish', 'subscribe_namespace'],
  '0x20': [...ofSubscriptions, 'fetch'],
  '0x21': ofSubscriptions,
  '0x22': ['subscribe', 'publish_ok', 'fetch'],
  '0x32': ofSubscriptions,
};

const setupOptions: Readonly<Record<number, readonly string[]>> = {
  14: ['0x1', '0x2', '0x3', '0x4', '0x5'],
  16: ['0x1', '0x2', '0x3', '0x4', '0x5', '0x7'],
  18: ['0x1', '0x3', '0x4', '0x5', '0x7'],
};
const since19 = [...setupOptions[18]!, '0x6', '0x8'];

function isHeard(draft: number, message: string, type: string): boolean {
  if (message.endsWith('setup')) return (setupOptions[draft] ?? since19).includes(type);
  if (draft > 16) return true;
  return ((draft === 14 ? places14 : places16)[type] ?? []).includes(message);
}

/** What a message says to who does not look at the rest. Types are in any order in draft-14: here they ascend. */
export function heard(draft: number, message: string, fields: Fields): { fields: Fields; dropped: boolean } {
  // Draft-14 calls the limit a request id.
  if (draft === 14 && (message === 'max_request_id' || message === 'requests_blocked'))
    return { fields: { max: fields.request_id! }, dropped: false };
  const name = 'options' in fields ? 'options' : 'parameters';
  const pairs = fields[name];
  if (!Array.isArray(pairs)) return { fields, dropped: false };
  const kept = pairs.filter(({ type }: Fields) => isHeard(draft, message, String(type)));
  const sorted = draft > 14 ? kept : kept.toSorted((a: Fields, b: Fields) => Number(a.type) - Number(b.type));
  const dropped = JSON.stringify(sorted) !== JSON.stringify(pairs);
  return { fields: { ...fields, [name]: sorted as Field }, dropped };
}
