import { ControlClient } from '../contract/client.ts';
import { StreamsError } from '../core/errors.ts';

/** Returns `iss` of playback tokens, asked of a control plane that runs elsewhere. Throws API_UNREACHABLE or UNAUTHORIZED. */
export async function askIssuer(control: { controlUrl: string; serviceToken: string }): Promise<string> {
  const { controlUrl } = control;
  const { issuer } = await new ControlClient(control)
    .ask('installation', {}, { timeoutMs: 10_000 })
    .catch((cause: unknown) => {
      if (cause instanceof StreamsError && cause.code === 'NOT_FOUND')
        throw new StreamsError('UNAUTHORIZED', `the control plane at ${controlUrl} does not know this service token`, {
          hint: 'give both the same STREAMS_SERVICE_TOKEN',
        });
      throw new StreamsError('API_UNREACHABLE', `can't reach the control plane at ${controlUrl}`, {
        cause,
        hint: 'streams serve --only control',
      });
    });
  if (typeof issuer === 'string') return issuer;
  throw new StreamsError('API_UNREACHABLE', `what answers at ${controlUrl} is not a streams control plane`);
}
