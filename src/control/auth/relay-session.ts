import { decodeJwt } from 'jose';
import { isEngineProof } from '../../access/engine-proof.ts';
import { KeySet } from '../../access/jwks.ts';
import { PlaybackTokens } from '../../access/playback-token.ts';
import { Revocations } from '../../access/revocations.ts';
import { ControlClient } from '../../contract/client.ts';
import { parseSessionPath } from '../../contract/session-path.ts';
import { StreamsError } from '../../core/errors.ts';
import type { ControlContext } from '../context.ts';
import { storeSessions } from '../store/analytics.ts';
import { redeem } from '../store/revocations.ts';
import { authorizePublish } from './publish.ts';
import { hashSecret, matchesHash } from './secrets.ts';

/** What a relay says of a session, as moq-relay 0.15 and later post it (doc/bin/relay/auth.md of moq-dev/moq). */
export type ReportedSession = {
  id: string;
  node: string;
  transport: string;
  remote?: string | undefined;
  path: string;
  query?: string | undefined;
  /** AUTHORIZATION TOKEN of the MoQT SETUP: its type, and its bytes in base64url. */
  token?: { kind: number; value: string } | undefined;
  tls?: unknown;
};

/** `publish` and `subscribe` are patterns below `root`; `expires` is seconds since the Unix epoch, `revalidate` seconds. */
export type RelayGrant = {
  root: string;
  publish: string[];
  subscribe: string[];
  expires: number;
  revalidate: number;
  /** A relay of the same cluster. */
  peer?: true;
};

/** A revoked token, a disabled input or a rotated key is noticed this late at a relay that asks. */
const revalidateSeconds = 5;
/** How long those whose credential does not end go on while nobody answers. */
const lastingSeconds = 3600;

/** Decides about sessions of relays that ask about each one. Our own relay needs no such question: it checks tokens itself. */
export class RelaySessions {
  readonly #context: ControlContext;
  readonly #serviceToken: string;
  readonly #connecting: PlaybackTokens;
  readonly #connected: PlaybackTokens;

  /** `ask` answers requests to this control plane in process. */
  constructor(context: ControlContext, ask: (request: Request) => Promise<Response>, serviceToken: string) {
    this.#context = context;
    this.#serviceToken = serviceToken;
    const { logger, issuer, now } = context;
    const inProcess: typeof fetch = (input, init) => ask(new Request(input, init));
    const controlUrl = 'http://control';
    const keys = new KeySet({ url: `${controlUrl}/.well-known/jwks.json`, logger, fetch: inProcess });
    const control = new ControlClient({ controlUrl, serviceToken, fetch: inProcess });
    const revocations = new Revocations({ control, logger, pollMs: 0 });
    const options = { keys, issuer, revocations, now };
    this.#connecting = new PlaybackTokens({
      ...options,
      redeem: async ({ org, jti, expiresAt }) => {
        if (!(await redeem(context.db, { orgId: org, jti, expiresAt })))
          throw new StreamsError('TOKEN_INVALID', 'the one-time token was used before');
      },
    });
    this.#connected = new PlaybackTokens({ ...options, redeem: async () => {} });
  }

  /**
   * A session begins (`connect`) or is asked about again. Throws UNAUTHORIZED, FORBIDDEN, TOKEN_INVALID or TOKEN_EXPIRED for
   * a refusal, and other codes when it cannot be decided now.
   */
  async grant(session: ReportedSession, event: 'connect' | 'revalidate'): Promise<RelayGrant> {
    const grant = this.#ours(session) ?? (await this.#theirs(session, event));
    return { root: '', ...grant, revalidate: revalidateSeconds };
  }

  /** Relays of the cluster, which show the service token as their cluster token, and the engine that fetches what publishers bring. */
  #ours({ path, query = '' }: ReportedSession): Omit<RelayGrant, 'root' | 'revalidate'> | undefined {
    const fields = new URLSearchParams(query);
    const expires = Math.floor(this.#context.now() / 1000) + lastingSeconds;
    if (/^\/?$/.test(path) && matchesHash(fields.get('jwt') ?? '', hashSecret(this.#serviceToken)))
      return { publish: ['**'], subscribe: ['**'], expires, peer: true };
    if (/^\/?ingest\/?$/.test(path) && isEngineProof(this.#serviceToken, 'ingest', fields.get('sk') ?? ''))
      return { publish: [], subscribe: ['ingest/**'], expires };
    return undefined;
  }

  #theirs(session: ReportedSession, event: 'connect' | 'revalidate') {
    const credential = credentialOf(session);
    return credential.kind === 'publish'
      ? this.#publisher(session, credential)
      : this.#viewer(session, credential, event);
  }

  /** The session is over. What it moved goes to its row. */
  async end(
    session: ReportedSession,
    what: { reason: string; seconds: number; sent: number; received: number },
  ): Promise<void> {
    const now = this.#context.now();
    const over = { ended_at: now, updated_at: now, reason: what.reason };
    const id = rowId(session);
    const { db } = this.#context;
    await db
      .updateTable('viewer_sessions')
      .set({ ...over, bytes: what.sent })
      .where('id', '=', id)
      .execute();
    await db
      .updateTable('broadcast_sessions')
      .set({ ...over, bytes: what.received })
      .where('id', '=', id)
      .execute();
  }

  /** An engine publishes for viewers; others for the engine, each session below a root of its own. */
  async #publisher(session: ReportedSession, { id: inputId, secret: streamKey }: Credential) {
    const { remote: remoteAddress } = session;
    const proof = new URLSearchParams(session.query).get('engine') ?? '';
    const isEngine = isEngineProof(this.#serviceToken, `publish ${inputId}`, proof);
    if (!isEngine && streamKey === undefined) throw oneSecret();
    const { orgId, namespace } = await authorizePublish(this.#context, {
      inputId,
      ...(streamKey !== undefined && { streamKey }),
      ingest: isEngine ? 'engine' : 'moqt',
      remoteAddress,
    });
    await storeSessions(this.#context.db, { broadcasts: [this.#row(session, orgId, inputId)], viewers: [] });
    const expires = Math.floor(this.#context.now() / 1000) + lastingSeconds;
    if (isEngine) return { publish: [`${namespace.join('/')}/**`], subscribe: [], expires };
    return { root: `ingest/${orgId}/${inputId}/${session.id}`, publish: ['**'], subscribe: [], expires };
  }

  async #viewer(session: ReportedSession, { id, secret: token }: Credential, event: 'connect' | 'revalidate') {
    if (token === undefined) throw oneSecret();
    const tokens = event === 'connect' ? this.#connecting : this.#connected;
    const { subscribe, tracks } = await tokens.verify(token, id, { remoteAddress: session.remote });
    // Its patterns end at the broadcast: it cannot keep a session to some of its tracks.
    if (tracks !== undefined)
      throw new StreamsError('TOKEN_INVALID', 'a token for some tracks works on our own relay only');
    const { exp = 0, sub = '' } = decodeJwt(token);
    const namespaces = subscribe as readonly (readonly string[])[];
    const row = { ...this.#row(session, namespaces[0]![1]!, id), viewer: sub };
    const viewers = [{ ...row, startup_ms: null, dropped: 0, groups_dropped: 0 }];
    await storeSessions(this.#context.db, { broadcasts: [], viewers });
    return { publish: [], subscribe: namespaces.map((namespace) => `${namespace.join('/')}/**`), expires: exp };
  }

  /** Stored once: of the next reports only that they came counts. */
  #row(session: ReportedSession, orgId: string, inputId: string) {
    const now = this.#context.now();
    return {
      id: rowId(session),
      org_id: orgId,
      input_id: inputId,
      node: session.node,
      started_at: now,
      ended_at: null,
      updated_at: now,
      bytes: 0,
      objects: 0,
      reason: null,
      transport: session.transport,
      version: null,
    };
  }
}

/** `secret`: only an engine that proves to be one may do without. */
type Credential = { kind: 'publish' | 'playback'; id: string; secret: string | undefined };

/** `/publish/<id>?sk=` and `/playback/<id>?tok=`; the secret may be `?jwt=` or the SETUP's token (type 0) too. */
function credentialOf({ path, query = '', token, tls }: ReportedSession): Credential {
  const asked = parseSessionPath(`/${path.replace(/^\/|\/$/g, '')}?${query}`);
  if (asked === undefined || asked.kind === 'ingest')
    throw new StreamsError('FORBIDDEN', 'nothing is granted at this path', {
      hint: 'paths are /publish/<input_id>?sk=… and /playback/<id>?tok=…',
    });
  if (tls !== undefined && tls !== null) throw new StreamsError('FORBIDDEN', 'a client certificate opens nothing here');
  const fields = new URLSearchParams(query);
  const inPath = asked.kind === 'publish' ? asked.streamKey : asked.token;
  const shown = [inPath, fields.get('jwt'), token && setupSecret(token)];
  const secrets = shown.filter((secret) => typeof secret === 'string' && secret !== '') as string[];
  if (secrets.length > 1) throw oneSecret();
  return { kind: asked.kind, id: asked.id, secret: secrets[0] };
}

function oneSecret(): StreamsError {
  return new StreamsError('UNAUTHORIZED', 'the session must show one key or token');
}

function setupSecret({ kind, value }: { kind: number; value: string }): string {
  if (kind !== 0) throw new StreamsError('UNAUTHORIZED', 'a SETUP token must be of type 0');
  return Buffer.from(value, 'base64url').toString('utf8');
}

function rowId({ id }: ReportedSession): string {
  return `moq:${id}`;
}
