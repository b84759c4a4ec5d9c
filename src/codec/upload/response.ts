import type { UploadProtocol } from './request.ts';
import { writeBoolean } from './structured-fields.ts';

/** Where an upload stands; bytes. */
export type UploadState = {
  readonly offset: number;
  /** undefined: the client has not said. */
  readonly length: number | undefined;
  readonly complete: boolean;
  /** ms since the Unix epoch at which what is there is thrown away. */
  readonly expiresAt: number;
};

export type UploadLimits = { readonly maxBytes: number; readonly maxAgeSeconds: number };

type Headers = Record<string, string>;

/** `Upload-Limit` (draft-ietf-httpbis-resumable-upload 4.1.4), a dictionary. */
export function writeUploadLimit({ maxBytes, maxAgeSeconds }: UploadLimits): string {
  return `max-size=${maxBytes}, max-age=${maxAgeSeconds}`;
}

/** What OPTIONS tells to clients of either protocol. */
export function optionsHeaders(limits: UploadLimits): Headers {
  return {
    'tus-resumable': '1.0.0',
    'tus-version': '1.0.0',
    'tus-extension': 'creation,creation-with-upload,creation-defer-length,expiration,termination',
    'tus-max-size': String(limits.maxBytes),
    'upload-limit': writeUploadLimit(limits),
    'accept-patch': 'application/partial-upload, application/offset+octet-stream',
  };
}

/** Headers of every final answer that tells of an upload. */
export function stateHeaders(protocol: UploadProtocol, state: UploadState, limits: UploadLimits): Headers {
  const { offset, length, complete, expiresAt } = state;
  if (protocol.name === 'tus')
    return {
      'tus-resumable': '1.0.0',
      'upload-offset': String(offset),
      ...(length === undefined ? { 'upload-defer-length': '1' } : { 'upload-length': String(length) }),
      ...(!complete && { 'upload-expires': new Date(expiresAt).toUTCString() }),
    };
  return {
    ...interopHeaders(protocol),
    'upload-offset': String(offset),
    'upload-complete': writeBoolean(complete),
    ...(length !== undefined && { 'upload-length': String(length) }),
    'upload-limit': writeUploadLimit(limits),
  };
}

/** Headers that name the protocol. */
export function protocolHeaders(protocol: UploadProtocol): Headers {
  return protocol.name === 'tus' ? { 'tus-resumable': '1.0.0' } : interopHeaders(protocol);
}

/**
 * The head of a 104 (Upload Resumption Supported) response, or undefined where the client would not know it: it is for those
 * whose interop version is ours (draft section 5 and appendix). On creation it carries `location` and the limits, on append the offset.
 */
export function informationalResponse(
  protocol: UploadProtocol,
  told: { location: string; limits: UploadLimits } | { offset: number },
): string | undefined {
  if (protocol.name === 'tus' || protocol.interop === undefined) return undefined;
  const headers: Headers =
    'location' in told
      ? { location: told.location, 'upload-limit': writeUploadLimit(told.limits) }
      : { 'upload-offset': String(told.offset) };
  const all = { ...interopHeaders(protocol), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 104 Upload Resumption Supported\r\n${lines.join('')}\r\n`;
}

function interopHeaders(protocol: UploadProtocol): Headers {
  if (protocol.name === 'tus' || protocol.interop === undefined) return {};
  return { 'upload-draft-interop-version': String(protocol.interop) };
}

/** Problem types (draft section 7; IANA's registry of HTTP problem types). */
export const problemTypes = {
  mismatchingOffset: 'https://iana.org/assignments/http-problem-types#mismatching-upload-offset',
  completed: 'https://iana.org/assignments/http-problem-types#completed-upload',
  inconsistentLength: 'https://iana.org/assignments/http-problem-types#inconsistent-upload-length',
} as const;
