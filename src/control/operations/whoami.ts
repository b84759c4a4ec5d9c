import { z } from 'zod';
import { defineOperation } from './define.ts';
import { orgId, scope } from './fields.ts';

export const whoami = defineOperation({
  name: 'auth.whoami',
  kind: 'query',
  summary: 'Say whose key this is and what it may do',
  scope: null,
  input: z.object({ orgId }),
  output: z.object({ orgId: z.string(), apiKeyId: z.string(), name: z.string(), scopes: z.array(scope) }),
  rest: { method: 'GET', path: '/whoami' },
  async run({ caller }) {
    return { orgId: caller.orgId, apiKeyId: caller.keyId, name: caller.keyName, scopes: [...caller.scopes] };
  },
});
