import { engineProof } from '../../src/access/engine-proof.ts';
import type { Logger } from '../../src/core/log.ts';
import { controlAuthoriser } from '../../src/relay/rights/control-authoriser.ts';
import type { RelayOptions } from '../../src/relay/start-relay.ts';
import { serviceToken, type TestControl } from '../control/helpers.ts';

/** A relay on a free port of loopback that asks this control plane. */
export function relayOptions(control: TestControl, logger: Logger, change: Partial<RelayOptions> = {}): RelayOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    dataDir: control.dataDir,
    authoriser: controlAuthoriser({
      controlUrl: control.base,
      serviceToken,
      issuer: control.control.issuer,
      logger,
    }),
    logger,
    ...change,
  };
}

export type Input = { id: string; streamKey: string; token: string; kid: string; namespace: string[] };

/** A new input, and a playback token for it. */
export async function newInput(control: TestControl): Promise<Input> {
  const { body } = await control.call('POST', '/v1/live-inputs', { body: { name: 'show' } });
  const minted = await control.call('POST', `/v1/live-inputs/${body.id}/playback-tokens`, { body: {} });
  const { token, kid } = minted.body;
  return { id: body.id, streamKey: body.stream_key_cleartext, token, kid, namespace: ['stream', 'org_local', body.id] };
}

/** Where an engine publishes what viewers of the input see. */
export function enginePath(inputId: string): string {
  return `/publish/${inputId}?engine=${engineProof(serviceToken, `publish ${inputId}`)}`;
}
