import { publishDoneWith } from '../draft16/publish-done.ts';
import { fromPublishDoneCode, toPublishDoneCode } from './error-codes.ts';

/** draft-14 9.12 */
export const publishDone = publishDoneWith(toPublishDoneCode, fromPublishDoneCode);
