import type { AuthoriseRequest, Authoriser, Grant } from '../../access/grant.ts';
import { everythingBelow } from '../../access/pattern.ts';
import type { PlaybackTokens } from '../../access/playback-token.ts';
import type { Revocations } from '../../access/revocations.ts';
import type { PublishGrant } from '../../contract/publish-grant.ts';
import { parseSessionPath } from '../../contract/session-path.ts';
import { StreamsError } from '../../core/errors.ts';
import { ExternalPublishers, ingestRoot } from './external-publishers.ts';

/** Without `at` the session cannot be revoked. */
export type PublishAnswer = Pick<PublishGrant, 'orgId' | 'inputId' | 'namespace'> & { at?: number };

/** Decides about stream keys. The HTTP one is in http-publish-authoriser.ts. */
export interface PublishAuthoriser {
  /** Throws StreamsError UNAUTHORIZED (reason in words), or another code when it cannot be decided now. */
  authorisePublish(request: {
    inputId: string;
    /** Absent where an engine of ours does without. */
    streamKey?: string;
    by: 'engine' | 'encoder';
    remoteAddress: string;
  }): Promise<PublishAnswer>;
}

export type PathAuthoriserOptions = {
  readonly revocations?: Revocations;
  /** Whether an engine of ours has shown that it is one. Without it, none has. */
  isEngine?(purpose: string, proof: string): boolean;
};

/**
 * The paths of design.md section 3, `/publish/<input_id>?sk=` and `/playback/<id>?tok=`; with `&engine=` a publisher is an
 * engine of ours, whose broadcasts are for viewers. Those of others are for the engine, at `/ingest?sk=`.
 */
export function pathAuthoriser(
  publishers: PublishAuthoriser,
  tokens: PlaybackTokens,
  { revocations, isEngine = () => false }: PathAuthoriserOptions = {},
): Authoriser {
  const encoders = new ExternalPublishers();
  return {
    async authorise({ path, token, remoteAddress, origin }: AuthoriseRequest): Promise<Grant> {
      const asked = parseSessionPath(path);
      if (asked === undefined) throw noSuchPath();
      if (asked.kind === 'ingest') {
        if (isEngine('ingest', asked.engineProof ?? '')) return ingestGrant;
        throw new StreamsError('UNAUTHORIZED', 'this path is for engines');
      }
      const { kind, id } = asked;
      if (kind === 'playback') {
        const shown = asked.token ?? token;
        if (shown === undefined) throw new StreamsError('UNAUTHORIZED', 'no token (?tok=)');
        return tokens.verify(shown, id, { remoteAddress, origin });
      }
      const streamKey = asked.streamKey ?? token;
      if (isEngine(`publish ${id}`, asked.engineProof ?? '')) {
        const key = streamKey === undefined ? {} : { streamKey };
        const answer = await publishers.authorisePublish({ inputId: id, ...key, by: 'engine', remoteAddress });
        return publishGrant(answer, revocations);
      }
      if (streamKey === undefined) {
        const playback = asked.playbackToken ? ', and a playback token cannot publish' : '';
        throw new StreamsError('UNAUTHORIZED', `no stream key (?sk=)${playback}`);
      }
      const answer = await publishers.authorisePublish({ inputId: id, streamKey, by: 'encoder', remoteAddress });
      return encoders.grant(answer, publishGrant(answer, revocations));
    },
  };
}

const ingestGrant: Grant = {
  kind: 'playback',
  publish: [],
  subscribe: [everythingBelow([ingestRoot])],
  lapsed: () => undefined,
  watch: () => () => {},
};

/** Lapses when the input is disabled or deleted. */
function publishGrant({ orgId, inputId, namespace, at }: PublishAnswer, revocations: Revocations | undefined): Grant {
  const lapsed = (): string | undefined =>
    at !== undefined && revocations?.covers({ kind: 'publish', org: orgId, inputId, grantedAt: at })
      ? 'the input was disabled or deleted'
      : undefined;
  const watch = (end: (reason: string) => void): (() => void) => {
    const stop = revocations?.hold(() => {
      const reason = lapsed();
      if (reason === undefined) return;
      stop?.();
      end(reason);
    });
    return () => stop?.();
  };
  return { kind: 'publish', publish: [namespace], subscribe: [], lapsed, watch };
}

function noSuchPath(): StreamsError {
  return new StreamsError('NOT_FOUND', 'no such path', {
    hint: 'paths are /publish/<input_id>?sk=… and /playback/<id>?tok=…',
  });
}
