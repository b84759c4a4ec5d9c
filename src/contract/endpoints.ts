import type { z } from 'zod';
import type * as analytics from './internal/analytics.ts';
import type * as assets from './internal/assets.ts';
import type { Endpoint } from './internal/endpoint.ts';
import type * as heartbeat from './internal/heartbeat.ts';
import type * as playback from './internal/playback.ts';
import type * as publish from './internal/publish-authorize.ts';
import type * as relayAuth from './internal/relay-auth.ts';

/** Every endpoint of control's internal API, by its name. */
export type Endpoints = {
  publishAuthorize: typeof publish.publishAuthorize;
  heartbeat: typeof heartbeat.heartbeat;
  engineClaim: typeof heartbeat.engineClaim;
  assetState: typeof assets.assetState;
  recordings: typeof assets.recordings;
  assetsGone: typeof assets.assetsGone;
  uploadAuthorize: typeof assets.uploadAuthorize;
  tokenRedeem: typeof playback.tokenRedeem;
  revocations: typeof playback.revocations;
  installation: typeof playback.installation;
  analytics: typeof analytics.analytics;
  relayAuth: typeof relayAuth.relayAuth;
};

export type EndpointName = keyof Endpoints;

/** What a client sends: defaults may be left out. */
export type RequestOf<Name extends EndpointName> = z.input<Endpoints[Name]['request']>;
/** What control has after it has read a request. */
export type ReceivedOf<Name extends EndpointName> = z.output<Endpoints[Name]['request']>;
export type AnswerOf<Name extends EndpointName> = z.output<Endpoints[Name]['answer']>;

type Place = {
  readonly method: 'GET' | 'POST';
  /** `:id` stands for the id of an asset. */
  readonly path: `/internal/${string}`;
  /** Who asks, for people. */
  readonly from: 'engine' | 'relay' | 'relay, engine' | 'moq-relay';
};

/** Where each endpoint is. Apart from its shapes, so that a client loads no schema library. */
export const endpoints: { readonly [Name in EndpointName]: Place } = {
  publishAuthorize: { method: 'POST', path: '/internal/authorize', from: 'relay, engine' },
  heartbeat: { method: 'POST', path: '/internal/engine/heartbeat', from: 'engine' },
  engineClaim: { method: 'POST', path: '/internal/engine/claim', from: 'engine' },
  assetState: { method: 'POST', path: '/internal/assets/:id/state', from: 'engine' },
  recordings: { method: 'POST', path: '/internal/recordings', from: 'engine' },
  assetsGone: { method: 'POST', path: '/internal/assets-gone', from: 'engine' },
  uploadAuthorize: { method: 'POST', path: '/internal/uploads/authorize', from: 'engine' },
  tokenRedeem: { method: 'POST', path: '/internal/playback-tokens/redeem', from: 'relay, engine' },
  revocations: { method: 'GET', path: '/internal/revocations', from: 'relay, engine' },
  installation: { method: 'GET', path: '/internal/installation', from: 'relay, engine' },
  analytics: { method: 'POST', path: '/internal/analytics', from: 'relay' },
  relayAuth: { method: 'POST', path: '/internal/relay-auth', from: 'moq-relay' },
};

/** A table over all endpoints must have each of them. */
export type EveryEndpoint = { readonly [Name in EndpointName]: Endpoint };
