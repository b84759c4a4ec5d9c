/**
 * Paths of MoQT sessions: what a client asks for in a WebTransport CONNECT, on QMux, or in SETUP on raw QUIC. They are built
 * and parsed here only. A path with its query is a secret.
 *
 *     /publish/<input id>?sk=<stream key>[&engine=<proof>]
 *     /playback/<id>?tok=<token>
 *     /ingest?sk=<proof>          an engine that takes what MoQT publishers bring
 *     anything else ?jwt=<token>  a session as moq-relay has them
 */

/** Ids are letters, digits, `_` and `-`; a path with anything else in place of an id is none of ours. */
const idPattern = /^[A-Za-z0-9_-]{1,128}$/;
const maxPathLength = 16_384;

export type SessionPath =
  | {
      readonly kind: 'publish';
      readonly id: string;
      readonly streamKey?: string;
      readonly engineProof?: string;
      /** There is a playback token where a stream key belongs. */
      readonly playbackToken?: true;
    }
  | { readonly kind: 'playback'; readonly id: string; readonly token?: string }
  | { readonly kind: 'ingest'; readonly engineProof?: string };

/** Whether a credential is in the path's query, be it an empty one: it counts before any that comes by another way. */
export function carriesCredential(path: string): boolean {
  return /[?&](tok|jwt|sk)=/.test(path);
}

/** Returns what the path asks for; undefined when it is none of ours. Empty credentials count as absent. */
export function parseSessionPath(path: string): SessionPath | undefined {
  if (path.length > maxPathLength) return undefined;
  const mark = path.indexOf('?');
  const segments = (mark < 0 ? path : path.slice(0, mark)).split('/');
  const query = new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1));
  const given = (name: string): string | undefined => query.get(name) || undefined;
  const [root, kind, id] = segments;
  if (root !== '') return undefined;
  if (segments.length === 2 && kind === 'ingest') return { kind, ...optional('engineProof', given('sk')) };
  if (segments.length !== 3 || !idPattern.test(id!)) return undefined;
  if (kind === 'playback') return { kind, id: id!, ...optional('token', given('tok')) };
  if (kind !== 'publish') return undefined;
  return {
    kind,
    id: id!,
    ...optional('streamKey', given('sk')),
    ...optional('engineProof', given('engine')),
    ...(query.has('tok') && { playbackToken: true }),
  };
}

/** Returns the path that `parseSessionPath` reads back. */
export function formatSessionPath(path: SessionPath): string {
  const query = new URLSearchParams();
  const set = (name: string, value: string | undefined) => value !== undefined && query.set(name, value);
  if (path.kind === 'playback') set('tok', path.token);
  if (path.kind === 'publish') {
    set('sk', path.streamKey);
    set('engine', path.engineProof);
  }
  if (path.kind === 'ingest') set('sk', path.engineProof);
  const place = path.kind === 'ingest' ? '/ingest' : `/${path.kind}/${encodeURIComponent(path.id)}`;
  return query.size === 0 ? place : `${place}?${query}`;
}

function optional<Name extends string>(name: Name, value: string | undefined): { readonly [K in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [K in Name]?: string });
}
