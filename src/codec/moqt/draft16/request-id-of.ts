import { StreamsError } from '../../../core/errors.ts';

/** The request that an answer belongs to. Throws INTERNAL: who sends it knows. */
export function requestIdOf(message: { readonly type: string; readonly requestId?: number }): number {
  if (message.requestId === undefined) throw new StreamsError('INTERNAL', `${message.type} without a request id`);
  return message.requestId;
}
