import { StreamsError } from '../core/errors.ts';

/** `iss` of playback tokens, asked of a control plane that runs elsewhere. Throws API_UNREACHABLE or UNAUTHORIZED. */
export async function askIssuer(control: { controlUrl: string; serviceToken: string }): Promise<string> {
  const { controlUrl, serviceToken } = control;
  let response: Response;
  try {
    response = await fetch(`${controlUrl}/internal/installation`, {
      headers: { authorization: `Bearer ${serviceToken}` },
      signal: AbortSignal.timeout(10_000),
    });
  } catch (cause) {
    throw new StreamsError('API_UNREACHABLE', `can't reach the control plane at ${controlUrl}`, {
      cause,
      hint: 'streams serve --only control',
    });
  }
  if (response.status === 404) {
    throw new StreamsError('UNAUTHORIZED', `the control plane at ${controlUrl} does not know this service token`, {
      hint: 'give both the same STREAMS_SERVICE_TOKEN',
    });
  }
  const { issuer } = (await response.json().catch(() => ({}))) as { issuer?: unknown };
  if (typeof issuer === 'string') return issuer;
  throw new StreamsError('API_UNREACHABLE', `what answers at ${controlUrl} is not a streams control plane`);
}
