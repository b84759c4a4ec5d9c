import { isEngineProof } from '../../access/engine-proof.ts';
import type { Authoriser } from '../../access/grant.ts';
import { redeemAtControl } from '../../access/http-redeem.ts';
import { KeySet } from '../../access/jwks.ts';
import { PlaybackTokens } from '../../access/playback-token.ts';
import { Revocations } from '../../access/revocations.ts';
import { ControlClient } from '../../contract/client.ts';
import type { Logger } from '../../core/log.ts';
import { pathAuthoriser } from './authorise.ts';
import { controlPublishAuthoriser } from './http-publish-authoriser.ts';

export type ControlAuthoriserOptions = {
  /** Control plane: stream keys are checked there, playback keys come from there. */
  readonly controlUrl: string;
  readonly serviceToken: string;
  /** `iss` of playback tokens. */
  readonly issuer: string;
  readonly logger: Logger;
};

/** The paths of design.md section 3, decided with the help of a control plane. */
export function controlAuthoriser({ controlUrl, serviceToken, issuer, logger }: ControlAuthoriserOptions): Authoriser {
  const control = new ControlClient({ controlUrl, serviceToken });
  const revocations = new Revocations({ control, logger });
  const keys = new KeySet({ url: new URL('/.well-known/jwks.json', controlUrl).href, logger, news: revocations });
  const redeem = redeemAtControl(control);
  return pathAuthoriser(controlPublishAuthoriser(control), new PlaybackTokens({ keys, issuer, revocations, redeem }), {
    revocations,
    isEngine: (purpose, proof) => isEngineProof(serviceToken, purpose, proof),
  });
}
