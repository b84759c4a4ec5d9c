import type { ExpectedFailure } from './judge.ts';

const drafts = [22] as const;

export const expectedFailures: readonly ExpectedFailure[] = [
  {
    drafts,
    kind: 'control',
    names: /_FILTER cut$/,
    whose: 'choice',
    why: 'the request is answered with INVALID_FILTER (draft-20 5.1.4)',
  },
  {
    drafts,
    kind: 'control',
    names: /^(SUBSCRIBE|PUBLISH|REQUEST_UPDATE|SUBSCRIBE_TRACKS) LOCATION_FILTER relative [1-9]\d*$/,
    whose: 'choice',
    why: 'a start at or before the current group lets everything of a subscription pass, as no filter does (draft-20 5.1.2)',
  },
  {
    drafts,
    kind: 'control',
    names: /^FETCH LOCATION_FILTER (none|from 0\/0)$/,
    whose: 'choice',
    why: 'that there is no filter goes without saying (draft-20 10.2.9)',
  },
  {
    drafts,
    kind: 'control',
    names: /^FETCH LOCATION_FILTER next object$/,
    whose: 'choice',
    why: 'nothing is behind the largest object: the same as from the next group, which is as empty',
  },
  {
    drafts,
    kind: 'control',
    names: /^REQUEST_UPDATE TRACK_NAMESPACE_PREFIX( (?!empty field|twice).*)?$/,
    whose: 'theirs',
    why: 'draft-20 10.2.20: it "uses the Track Namespace encoding described in Section 2.4.1"; moqtail has a length before it',
  },
  {
    drafts,
    kind: 'control',
    names: /^SUBSCRIBE AUTHORIZATION_TOKEN (alias type 4|nothing|register, cut|use value, cut)$/,
    whose: 'theirs',
    why: 'draft-20 10.2.2: "the receiver MUST close the Session with KEY_VALUE_FORMATTING_ERROR"',
  },
  {
    drafts,
    kind: 'control',
    names:
      /^SUBSCRIBE_TRACKS (OBJECT_DELIVERY_TIMEOUT|RENDEZVOUS_TIMEOUT|SUBGROUP_DELIVERY_TIMEOUT|SUBSCRIBER_PRIORITY|NEW_GROUP_REQUEST) 0$/,
    whose: 'theirs',
    why: 'draft-20 10.20.1 and draft-22 3.6.2: "Any Parameter that can be specified on a Subscription … is valid in SUBSCRIBE_TRACKS"',
  },
  {
    drafts,
    kind: 'control',
    names: /^NAMESPACE two fields, a byte too many$/,
    whose: 'choice',
    why: 'parameters may follow where both sides agreed on hops (draft-lcurley-moq-cluster); else the session refuses them',
  },
  ...(['subgroup', 'datagram'] as const).map((kind) => ({
    drafts,
    kind,
    names: /^properties: (integer cut|bytes cut|type above 2\^64-1)$/,
    whose: 'choice' as const,
    why: 'properties of objects pass through unread (draft-18 2.5)',
  })),
];
