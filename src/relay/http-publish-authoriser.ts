import { authFailed } from '../access/grant.ts';
import { StreamsError } from '../core/errors.ts';
import type { PublishAnswer, PublishAuthoriser } from './authorise.ts';

const timeoutMs = 5000;

/** Asks the control plane: `POST <controlUrl>/internal/authorize`. Only a clear refusal is `auth_failed`; an outage is not. */
export function httpPublishAuthoriser(options: { controlUrl: string; serviceToken: string }): PublishAuthoriser {
  const url = new URL('/internal/authorize', options.controlUrl);
  return {
    async authorisePublish({ inputId, streamKey, by, remoteAddress }) {
      let response: Response;
      let body: unknown;
      try {
        response = await fetch(url, {
          method: 'POST',
          headers: { authorization: `Bearer ${options.serviceToken}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            kind: 'publish',
            inputId,
            streamKey,
            ingest: by === 'engine' ? 'engine' : 'moqt',
            remoteAddress,
          }),
          redirect: 'error',
          signal: AbortSignal.timeout(timeoutMs),
        });
        body = await response.json();
      } catch (cause) {
        throw new StreamsError('API_UNREACHABLE', 'the control plane does not answer', { cause });
      }
      if (response.ok && isGrant(body)) return body;
      // 404: it does not know our service token. None of these is the publisher's fault.
      const { status } = response;
      if (response.ok || status === 404 || status === 429 || status >= 500) {
        throw new StreamsError('API_UNREACHABLE', `the control plane answered ${status}`);
      }
      throw new StreamsError('UNAUTHORIZED', `${authFailed}${errorMessage(body) ?? 'the stream key was refused'}`);
    },
  };
}

function isGrant(body: unknown): body is PublishAnswer {
  if (typeof body !== 'object' || body === null) return false;
  const { orgId, inputId, namespace, at } = body as Record<string, unknown>;
  return (
    typeof orgId === 'string' &&
    typeof inputId === 'string' &&
    (at === undefined || typeof at === 'number') &&
    Array.isArray(namespace) &&
    namespace.length > 0 &&
    namespace.every((field) => typeof field === 'string')
  );
}

function errorMessage(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { error } = body as { error?: { message?: unknown } };
  return typeof error?.message === 'string' ? error.message.slice(0, 300) : undefined;
}
