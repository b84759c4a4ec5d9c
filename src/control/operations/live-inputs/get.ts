import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { inputId, orgId } from '../fields.ts';
import { findLiveInput, liveInput, publishUrls, viewIngestUrls, viewLiveInput } from './view.ts';

export const liveInputsGet = defineOperation({
  name: 'liveInputs.get',
  kind: 'query',
  summary: 'Get one live input',
  scope: 'streams:read',
  input: z.object({ orgId, id: inputId }),
  output: liveInput,
  rest: { method: 'GET', path: '/live-inputs/{id}', adds: { output: publishUrls, from: viewIngestUrls } },
  async run(call, { id }) {
    return viewLiveInput(await findLiveInput(call, id));
  },
});
