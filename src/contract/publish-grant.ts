import { StreamsError } from '../core/errors.ts';
import type { ControlClient } from './client.ts';
import type { AnswerOf, RequestOf } from './endpoints.ts';

export type PublishRequest = RequestOf<'publishAuthorize'>;
/** What a stream key opens. */
export type PublishGrant = AnswerOf<'publishAuthorize'>;

/** Rejects with the StreamsError of the refusal (UNAUTHORIZED, CONFLICT, …) or API_UNREACHABLE. */
export type Authorise = (request: PublishRequest) => Promise<PublishGrant>;

/** Asks control whether somebody may publish. A grant that names no namespace counts as no answer. */
export function publishAuthoriser(control: ControlClient): Authorise {
  return async (request) => {
    const grant = await control.ask('publishAuthorize', request);
    const { orgId, inputId, namespace } = grant as Partial<PublishGrant>;
    const whole =
      Array.isArray(namespace) && namespace.length > 0 && namespace.every((part) => typeof part === 'string');
    if (typeof orgId !== 'string' || typeof inputId !== 'string' || !whole)
      throw new StreamsError('API_UNREACHABLE', 'the control plane gave an answer that is none');
    return grant;
  };
}
