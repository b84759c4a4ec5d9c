import { allows, allowsTrack, type Grant } from '../../access/grant.ts';
import { everythingBelow, type NamespacePattern, reaches } from '../../access/pattern.ts';
import { requestErrorCodes } from '../../codec/moqt/codes.ts';
import type { Refusal, TrackName } from '../../session/types.ts';
import { internalField } from '../upstream/route.ts';
import { authFailed } from './auth-failed.ts';
import { refusalOfName } from './wire-names.ts';

/** What a session may do, by its grant. Names are whole, the root of the session included. undefined: it may. */

export function refusalToSubscribe(grant: Grant, track: TrackName): Refusal | undefined {
  return (
    refusalOfInternal(grant, track.namespace) ??
    lapsed(grant) ??
    (allows(grant.subscribe, track.namespace)
      ? allowsTrack(grant, track.name)
        ? undefined
        : unauthorized('not a track of this token')
      : unauthorized('not a namespace of this session')) ??
    refusalOfName(track.namespace, track.name)
  );
}

export function refusalToPublish(grant: Grant, namespace: readonly string[]): Refusal | undefined {
  const refusal = refusalOfInternal(grant, namespace);
  if (refusal !== undefined || allows(grant.publish, namespace)) return refusal;
  return unauthorized('not a namespace this session may publish');
}

/** Something that it may see can be below the prefix. */
export function refusalToDiscover(grant: Grant, prefix: readonly string[]): Refusal | undefined {
  const granted = [...grant.subscribe, ...grant.publish];
  return (
    lapsed(grant) ??
    refusalOfInternal(grant, prefix) ??
    refusalOfName(prefix) ??
    (granted.some((each) => reaches(asPattern(each), prefix))
      ? undefined
      : unauthorized('nothing below this prefix is for this session'))
  );
}

/** It may know that the namespace is there. */
export function maySeeNamespace(grant: Grant, namespace: readonly string[]): boolean {
  if (isInternal(namespace)) return grant.cluster === true;
  return allows(grant.subscribe, namespace) || allows(grant.publish, namespace);
}

/** It is between the relays of a cluster. */
export function isInternal(namespace: readonly string[]): boolean {
  return namespace[0] === internalField;
}

function refusalOfInternal(grant: Grant, namespace: readonly string[]): Refusal | undefined {
  if (grant.cluster === true || !isInternal(namespace)) return undefined;
  return unauthorized('only for the relays of the cluster');
}

function lapsed(grant: Grant): Refusal | undefined {
  const reason = grant.lapsed();
  return reason === undefined ? undefined : { code: requestErrorCodes.expiredAuthToken, reason: authFailed(reason) };
}

function unauthorized(reason: string): Refusal {
  return { code: requestErrorCodes.unauthorized, reason: authFailed(reason) };
}

function asPattern(granted: Grant['subscribe'][number]): NamespacePattern {
  return 'below' in granted ? granted : { ...everythingBelow(granted), below: false };
}
