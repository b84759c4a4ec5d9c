import { describe, expect, it } from 'vitest';
import { readFilename, readUploadMetadata } from '../../../src/codec/upload/metadata.ts';
import { readUploadRequest } from '../../../src/codec/upload/request.ts';
import { informationalResponse, stateHeaders } from '../../../src/codec/upload/response.ts';
import { StreamsError } from '../../../src/core/errors.ts';
import { random } from '../../fuzz/random.ts';

type Headers = Record<string, string>;
const tus = { 'tus-resumable': '1.0.0' };
const octets = { ...tus, 'content-type': 'application/offset+octet-stream' };
const partial = { 'content-type': 'application/partial-upload', 'upload-offset': '7' };
const create = { kind: 'create', length: undefined, body: true, complete: true };

describe('a request', () => {
  const understood: [string, Headers, object][] = [
    ['POST', { ...tus, 'upload-length': '9' }, { ...create, length: 9, body: false, complete: undefined }],
    ['POST', { ...octets, 'upload-defer-length': '1' }, { ...create, complete: undefined }],
    ['HEAD', tus, { kind: 'offset' }],
    [
      'PATCH',
      { ...octets, 'upload-offset': '7' },
      { kind: 'append', offset: 7, length: undefined, complete: undefined },
    ],
    ['DELETE', tus, { kind: 'cancel' }],
    ['POST', { 'upload-complete': '?0', 'upload-length': '9' }, { ...create, length: 9, complete: false }],
    ['POST', {}, create],
    ['HEAD', {}, { kind: 'offset' }],
    [
      'PATCH',
      { ...partial, 'upload-complete': '?1' },
      { kind: 'append', offset: 7, length: undefined, complete: true },
    ],
    [
      'PATCH',
      { 'upload-draft-interop-version': '5', 'upload-offset': '7', 'upload-complete': '?0' },
      { kind: 'append', offset: 7, length: undefined, complete: false },
    ],
    ['DELETE', {}, { kind: 'cancel' }],
  ];
  it.each(understood)('%s %o', (method, headers, action) => {
    expect(readUploadRequest(method, headers).action).toEqual(action);
  });

  const refused: [string, Headers, number][] = [
    ['POST', { 'tus-resumable': '0.2.2', 'upload-length': '9' }, 412],
    ['POST', tus, 400],
    ['POST', { ...tus, 'upload-length': '9', 'upload-defer-length': '1' }, 400],
    ['POST', { ...tus, 'upload-length': '-1' }, 400],
    ['POST', { ...tus, 'upload-length': '9'.repeat(30) }, 400],
    ['PATCH', { ...tus, 'upload-offset': '0' }, 415],
    ['PATCH', octets, 400],
    ['GET', tus, 405],
    ['POST', { 'upload-complete': 'yes' }, 400],
    ['PATCH', { 'upload-offset': '7', 'upload-complete': '?1' }, 415],
    ['PATCH', { ...partial }, 400],
    ['HEAD', { 'upload-offset': '1' }, 400],
    ['PUT', {}, 405],
  ];
  it.each(refused)('%s %o is refused', (method, headers, status) => {
    expect(readUploadRequest(method, headers).action).toMatchObject({ kind: 'refused', status });
  });

  it.each([
    ['8', 8],
    ['6', 6],
    ['5', 5],
    ['3', undefined],
    ['7', undefined],
    ['8;x', undefined],
  ])('of interop version %s', (named, interop) => {
    expect(readUploadRequest('HEAD', { 'upload-draft-interop-version': named }).protocol).toEqual({
      name: 'ietf',
      interop,
    });
  });
});

it('writes what its protocol wants to hear', () => {
  const state = { offset: 5, length: 9, complete: false, expiresAt: 0 };
  const limits = { maxBytes: 100, maxAgeSeconds: 60 };
  expect(stateHeaders({ name: 'tus' }, state, limits)).toEqual({
    'tus-resumable': '1.0.0',
    'upload-offset': '5',
    'upload-length': '9',
    'upload-expires': 'Thu, 01 Jan 1970 00:00:00 GMT',
  });
  expect(stateHeaders({ name: 'ietf', interop: 6 }, state, limits)).toEqual({
    'upload-draft-interop-version': '6',
    'upload-offset': '5',
    'upload-length': '9',
    'upload-complete': '?0',
    'upload-limit': 'max-size=100, max-age=60',
  });
  expect(informationalResponse({ name: 'ietf', interop: 8 }, { offset: 5 })).toBe(
    'HTTP/1.1 104 Upload Resumption Supported\r\nupload-draft-interop-version: 8\r\nupload-offset: 5\r\n\r\n',
  );
  for (const protocol of [{ name: 'tus' }, { name: 'ietf', interop: undefined }] as const)
    expect(informationalResponse(protocol, { location: '/uploads/x', limits })).toBeUndefined();
});

it('reads names', () => {
  expect([...readUploadMetadata('filename w6QubXA0,empty , name RmlsbQ==')]).toEqual([
    ['filename', 'ä.mp4'],
    ['empty', ''],
    ['name', 'Film'],
  ]);
  expect(readUploadMetadata(undefined).size).toBe(0);
  expect(readFilename('attachment; filename="a \\"b\\".mp4"')).toBe('a "b".mp4');
  expect(readFilename("attachment; filename=x.mp4; filename*=UTF-8''%C3%A4.mp4")).toBe('ä.mp4');
  expect(readFilename("attachment; filename*=UTF-8''%ff")).toBeUndefined();
  expect(readFilename('inline')).toBeUndefined();
});

it('answers any header with a value or one of its errors', () => {
  const next = random(11);
  const below = (limit: number) => Math.floor(next() * limit);
  const alphabet = 'aZ09+/=,; "\\?*%\'filename\u00ff\u0000';
  for (let i = 0; i < 5000; i++) {
    const text = Array.from({ length: below(60) }, () => alphabet[below(alphabet.length)]).join('');
    try {
      readUploadMetadata(text);
    } catch (error) {
      expect(error).toBeInstanceOf(StreamsError);
      expect((error as StreamsError).code).toBe('MALFORMED');
    }
    readFilename(text);
    const headers = { 'upload-length': text, 'upload-offset': text, 'upload-complete': text, 'content-type': text };
    for (const method of ['POST', 'PATCH', 'HEAD', text])
      readUploadRequest(method, i % 2 ? headers : { ...headers, ...tus });
  }
});
