import type { StreamsError } from '../../../core/errors.ts';

/**
 * Why a caller is turned away (draft-sharabayko-srt-01 table 7; from 1400 on the predefined reasons of libsrt's access
 * control, which follow HTTP). On the wire 1000 more.
 */
export const rejection = {
  resource: 3,
  rogue: 4,
  close: 7,
  version: 8,
  badSecret: 10,
  unsecure: 11,
  messageApi: 12,
  congestion: 13,
  filter: 14,
  group: 15,
  crypto: 17,
  badRequest: 1400,
  unauthorised: 1401,
  overload: 1402,
  forbidden: 1403,
  notFound: 1404,
  badMode: 1405,
  conflict: 1409,
  internal: 1500,
  down: 1503,
} as const;

/** A refusal as a value: the reason for the caller, words for our log. */
export type Refusal = { reason: number; message: string };

export function refusalOf({ code, message }: StreamsError): Refusal {
  return { reason: reasonOf(code), message };
}

function reasonOf(code: StreamsError['code']): number {
  switch (code) {
    case 'UNAUTHORIZED':
      return rejection.unauthorised;
    case 'FORBIDDEN':
      return rejection.forbidden;
    case 'NOT_FOUND':
      return rejection.notFound;
    case 'CONFLICT':
      return rejection.conflict;
    case 'RATE_LIMITED':
      return rejection.overload;
    case 'API_UNREACHABLE':
      return rejection.down;
    case 'UNSUPPORTED':
      return rejection.badMode;
    case 'INVALID_ARGUMENT':
      return rejection.badRequest;
    case 'MALFORMED':
    case 'LIMIT_EXCEEDED':
      return rejection.rogue;
    default:
      return rejection.internal;
  }
}
