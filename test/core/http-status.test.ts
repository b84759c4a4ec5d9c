import { expect, it } from 'vitest';
import { errorCodes, StreamsError } from '../../src/core/errors.ts';
import { HttpError, httpStatus, httpStatuses } from '../../src/core/http-status.ts';

it('has a status of an error for every code, and for nothing else', () => {
  expect(Object.keys(httpStatuses).sort()).toEqual([...errorCodes].sort());
  for (const status of Object.values(httpStatuses)) expect(status >= 400 && status < 600).toBe(true);
});

it.each([
  ['the table', new StreamsError('DISK_FULL', ''), {}, 507],
  ['an exception of the server', new StreamsError('TOKEN_INVALID', ''), { TOKEN_INVALID: 403 }, 403],
  ['an exception for another code', new StreamsError('NOT_FOUND', ''), { TOKEN_INVALID: 403 }, 404],
  ['what was thrown, before the table', new HttpError(405, 'UNSUPPORTED', ''), {}, 405],
  ['what was thrown, before an exception', new HttpError(415, 'UNSUPPORTED', ''), { UNSUPPORTED: 501 }, 415],
])('follows %s', (_, error, exceptions, status) => {
  expect(httpStatus(error, exceptions)).toBe(status);
});
