import { readBoolean, readInteger } from './structured-fields.ts';

/**
 * How a client uploads: tus 1.0, or the IETF's resumable uploads (draft-ietf-httpbis-resumable-upload). `interop` is the
 * draft's interop version that the client names and we speak (8: -09 and later, 6: -04 and -05, 5: -03); undefined: none, as in
 * the final form, where nobody may be sent a 104.
 */
export type UploadProtocol = { readonly name: 'tus' } | { readonly name: 'ietf'; readonly interop: InteropVersion };
export type InteropVersion = 8 | 6 | 5 | undefined;

/** What an upload request wants; sizes in bytes. */
export type UploadAction =
  | {
      kind: 'create';
      /** Of the whole upload, where the client knows it. */
      length: number | undefined;
      /** The body is (the first) part of the upload. */
      body: boolean;
      /** The upload is whole when the body is. tus: when the length is reached. */
      complete: boolean | undefined;
    }
  | { kind: 'offset' }
  | { kind: 'append'; offset: number; length: number | undefined; complete: boolean | undefined }
  | { kind: 'cancel' };

export type Refusal = { kind: 'refused'; status: number; message: string };
export type UploadRequest = { readonly protocol: UploadProtocol; readonly action: UploadAction | Refusal };

/** By name in lower case. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Interop versions we speak, best first. */
const interopVersions = [8, 6, 5] as const;

/** Reads method and headers. Never throws: what cannot be is `refused` with an HTTP status. */
export function readUploadRequest(method: string, headers: Headers): UploadRequest {
  const get = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  if (get('tus-resumable') !== undefined) return { protocol: { name: 'tus' }, action: readTus(method, get) };
  const named = readInteger(get('upload-draft-interop-version'));
  const interop = interopVersions.find((version) => version === named);
  return { protocol: { name: 'ietf', interop }, action: readIetf(method, get, interop) };
}

type Get = (name: string) => string | undefined;

/** https://tus.io/protocols/resumable-upload, 1.0.0. */
function readTus(method: string, get: Get): UploadAction | Refusal {
  if (get('tus-resumable') !== '1.0.0') return refused(412, 'only version 1.0.0 of tus is spoken here');
  const lengthHeader = get('upload-length');
  const length = readInteger(lengthHeader);
  if (lengthHeader !== undefined && length === undefined) return refused(400, 'Upload-Length is no length');
  const media = mediaType(get('content-type')) === 'application/offset+octet-stream';
  switch (method) {
    case 'POST': {
      const deferred = get('upload-defer-length');
      if (deferred !== undefined && deferred !== '1') return refused(400, 'Upload-Defer-Length must be 1');
      if ((length === undefined) === (deferred === undefined))
        return refused(400, 'either Upload-Length or Upload-Defer-Length is needed');
      return { kind: 'create', length, body: media, complete: undefined };
    }
    case 'HEAD':
      return { kind: 'offset' };
    case 'PATCH': {
      const offset = readInteger(get('upload-offset'));
      if (!media) return refused(415, 'the body must be application/offset+octet-stream');
      if (offset === undefined) return refused(400, 'Upload-Offset is needed');
      return { kind: 'append', offset, length, complete: undefined };
    }
    case 'DELETE':
      return { kind: 'cancel' };
    default:
      return refused(405, `${method} does nothing here`);
  }
}

/** draft-ietf-httpbis-resumable-upload sections 4.2 (creation), 4.3 (offset), 4.4 (append), 4.5 (cancellation). */
function readIetf(method: string, get: Get, interop: InteropVersion): UploadAction | Refusal {
  const completeHeader = get('upload-complete');
  const complete = readBoolean(completeHeader);
  if (completeHeader !== undefined && complete === undefined) return refused(400, 'Upload-Complete is no boolean');
  const lengthHeader = get('upload-length');
  const length = readInteger(lengthHeader);
  if (lengthHeader !== undefined && length === undefined) return refused(400, 'Upload-Length is no integer');
  switch (method) {
    case 'POST':
      // Without any of the headers: a plain upload in one request.
      return { kind: 'create', length, body: true, complete: complete ?? true };
    case 'HEAD':
      if (get('upload-offset') !== undefined || completeHeader !== undefined)
        return refused(400, 'a request for the offset must not name one');
      return { kind: 'offset' };
    case 'PATCH': {
      const offset = readInteger(get('upload-offset'));
      if (offset === undefined) return refused(400, 'Upload-Offset is needed');
      if (complete === undefined) return refused(400, 'Upload-Complete is needed');
      // Since -04 (interop 6).
      if (interop !== 5 && mediaType(get('content-type')) !== 'application/partial-upload')
        return refused(415, 'the body must be application/partial-upload');
      return { kind: 'append', offset, length, complete };
    }
    case 'DELETE':
      return { kind: 'cancel' };
    default:
      return refused(405, `${method} does nothing here`);
  }
}

function mediaType(header: string | undefined): string | undefined {
  return header?.split(';')[0]?.trim().toLowerCase();
}

function refused(status: number, message: string): Refusal {
  return { kind: 'refused', status, message };
}
