import { redeemAtControl } from '../../access/http-redeem.ts';
import { KeySet } from '../../access/jwks.ts';
import { PlaybackTokens } from '../../access/playback-token.ts';
import { Revocations } from '../../access/revocations.ts';
import { VerifiedTokens } from '../../access/verified-tokens.ts';
import { ControlClient } from '../../contract/client.ts';
import type { Authorise } from '../../contract/publish-grant.ts';
import { StreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Broadcast } from '../broadcast.ts';
import type { Channels } from '../channels.ts';
import { handleHls } from '../hls/handler.ts';
import { HlsWindows } from '../hls/windows.ts';
import { handleFmp4 } from '../ingest/fmp4/handler.ts';
import type { WhipServer } from '../ingest/whip/server.ts';
import { isVodPath } from '../vod/playback.ts';
import type { Vod } from '../vod/vod.ts';
import { errorResponse } from './error-response.ts';
import { type InternalHttp, listenHttp, type TakeRequest } from './listen.ts';

export type EngineHttpOptions = {
  readonly controlUrl: string;
  readonly serviceToken: string;
  /** `iss` of playback tokens. */
  readonly issuer: string;
  readonly authorise: Authorise;
  readonly publish: Channels['publish'];
  readonly whip: Pick<WhipServer, 'handle'>;
  /** The broadcast of an input that is live. */
  readonly live: (inputId: string) => Broadcast | undefined;
  /** undefined: no media are kept here. */
  readonly vod?: Vod | undefined;
  readonly logger: Logger;
  /** Seconds a playlist goes back; at least, and by default, 12. */
  readonly hlsWindowSeconds?: number;
};

/** What the engine answers over HTTP: `/hls/…`, `/ingest/…` and `/whip/…`. */
export async function serveHttp(options: EngineHttpOptions): Promise<InternalHttp> {
  const { controlUrl, serviceToken, issuer, live, logger, whip } = options;
  const { vod } = options;
  const control = new ControlClient({ controlUrl, serviceToken });
  const revocations = new Revocations({ control, logger });
  const keys = new KeySet({ url: new URL('/.well-known/jwks.json', controlUrl).href, logger, news: revocations });
  const redeem = redeemAtControl(control);
  const tokens = new VerifiedTokens({ tokens: new PlaybackTokens({ keys, issuer, revocations, redeem }) });
  const windows = new HlsWindows({
    live,
    ...(options.hlsWindowSeconds === undefined ? {} : { seconds: options.hlsWindowSeconds }),
  });
  const http = await listenHttp(
    serviceToken,
    async (request, remoteAddress) => {
      const { pathname } = new URL(request.url);
      if (vod !== undefined && isVodPath(pathname)) return vod.playback.handle(request, { tokens, remoteAddress });
      if (pathname.startsWith('/hls/')) return handleHls(request, { tokens, windows, logger, remoteAddress });
      if (pathname.startsWith('/ingest/')) return handleFmp4(request, { ...options, remoteAddress });
      if (pathname.startsWith('/whip/')) return whip.handle(request, remoteAddress);
      return errorResponse(new StreamsError('NOT_FOUND', 'there is nothing here'), {});
    },
    takeUploads(vod),
  );
  return {
    url: http.url,
    async close() {
      windows.close();
      await http.close();
      tokens.close();
    },
  };
}

/** Uploads need more of HTTP than `Response` has: informational answers, and a body that is read as it comes. */
function takeUploads(vod: Vod | undefined): TakeRequest {
  return (incoming, outgoing, remoteAddress) => {
    if (vod === undefined || !/^\/uploads(?:[/?]|$)/.test(incoming.url ?? '')) return false;
    void vod.upload(incoming, outgoing, remoteAddress);
    return true;
  };
}
