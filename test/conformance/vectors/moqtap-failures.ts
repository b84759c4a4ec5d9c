import type { ExpectedFailure } from './judge.ts';

const all = [14, 16, 18, 19, 20, 21, 22] as const;
const from16 = all.slice(1);
const from18 = all.slice(2);
const from19 = all.slice(3);
const from20 = all.slice(4);
const to19 = [14, 16, 18, 19] as const;

const control: readonly Omit<ExpectedFailure, 'kind'>[] = [
  {
    drafts: from19,
    names: /^SUBSCRIBE(_TRACKS)? (SUBGROUP|OBJECTID|PRIORITY|OBJECT_PROPERTY|TRACK_PROPERTY)_FILTER twice$/,
    whose: 'choice',
    why: 'that there are none is said once',
  },
  {
    drafts: from20,
    names: /^SUBSCRIBE LOCATION_FILTER (type 1 )?\[[1-9]\d*\]$|^(SUBSCRIBE with|PUBLISH_STATE_NOTIFY) everything$/,
    whose: 'choice',
    why: 'a start at or before the current group lets everything of a subscription pass, as no filter does (draft-20 5.1.2)',
  },
  {
    drafts: from20,
    names: /^FETCH LOCATION_FILTER (type 0 )?\[\]$/,
    whose: 'choice',
    why: 'that there is no filter goes without saying (draft-20 10.2.9)',
  },
  {
    drafts: from20,
    names:
      /^SUBSCRIBE_TRACKS (OBJECT_DELIVERY_TIMEOUT|RENDEZVOUS_TIMEOUT|SUBGROUP_DELIVERY_TIMEOUT|SUBSCRIBER_PRIORITY|NEW_GROUP_REQUEST) 0$/,
    whose: 'theirs',
    why: 'draft-20 10.20.1 and draft-22 3.6.2: "Any Parameter that can be specified on a Subscription … is valid in SUBSCRIBE_TRACKS"',
  },
  {
    drafts: [19],
    names: /^PUBLISH GROUP_ORDER 1$/,
    whose: 'theirs',
    why: 'draft-19 10.20: "PUBLISH messages resulting from this SUBSCRIBE_TRACKS will include the GROUP_ORDER parameter"',
  },
  {
    drafts: from20,
    names: /^PUBLISH_DONE status 0x3$/,
    whose: 'choice',
    why: 'SUBSCRIPTION_ENDED is gone; read, and passed on as TRACK_ENDED',
  },
  {
    drafts: from19,
    names: /^REQUEST_ERROR code 0x19$/,
    whose: 'choice',
    why: 'DUPLICATE_SUBSCRIPTION is gone; read, and passed on as NOT_SUPPORTED',
  },
  {
    drafts: [18],
    names: /^message type 0x1e$/,
    whose: 'theirs',
    why: 'draft-18 10, Table 5: PUBLISH_OK keeps 0x1E',
  },
  {
    drafts: from16,
    names: /^NAMESPACE two fields, a byte too many$/,
    whose: 'choice',
    why: 'parameters may follow where both sides agreed on hops (draft-lcurley-moq-cluster); else the session refuses them',
  },
  {
    drafts: to19,
    names: /^FETCH end before start/,
    whose: 'choice',
    why: 'draft-18 10.12 has no code for it: the session answers REQUEST_ERROR INVALID_RANGE',
  },
  {
    drafts: all,
    names: /^FETCH_OK end of track ([23]|255)$/,
    whose: 'theirs',
    why: 'draft-18 10.13: it is 1 or 0',
  },
  {
    drafts: from16,
    names: /: default priority 256$/,
    whose: 'theirs',
    why: 'draft-18 12.4: "Priorities above 255 are invalid"',
  },
  {
    drafts: [16],
    names: /^SUBSCRIBE_NAMESPACE options 2$/,
    whose: 'choice',
    why: 'who asks for namespaces and tracks is told of the namespaces, and may subscribe to the tracks',
  },
  {
    drafts: [16],
    names: /^SUBSCRIBE_NAMESPACE options (3|64)$/,
    whose: 'theirs',
    why: 'draft-16 9.25: PUBLISH (0), NAMESPACE (1) or both (2)',
  },
  {
    drafts: [16],
    names: /^SUBSCRIBE GROUP_ORDER 0$/,
    whose: 'choice',
    why: 'Shaka Player 5.2 says so where it should say nothing, as draft-14 does',
  },
  {
    drafts: [16],
    names: /^SUBSCRIBE_OK LARGEST_OBJECT cut$/,
    whose: 'theirs',
    why: 'draft-16 9.2.2.7: it is a Location; moqtap keeps the bytes unread',
  },
  {
    drafts: [16],
    names: /SUBSCRIPTION_FILTER range ends before$/,
    whose: 'theirs',
    why: 'draft-16 5.1.2: "End Group MUST specify the same or a larger Group"',
  },
  {
    drafts: [14],
    names: /^(TRACK_STATUS|PUBLISH_OK) range ends before$|^SUBSCRIBE_UPDATE ends before$/,
    whose: 'theirs',
    why: 'draft-14 5.1.2: "End Group MUST specify the same or a larger Group"',
  },
  {
    drafts: [14],
    names: / empty field$/,
    whose: 'choice',
    why: 'a namespace field without bytes could not be passed on to any later draft (draft-16 2.4.1)',
  },
  {
    drafts: [14],
    names: /NAMESPACE(_DONE|_CANCEL)? 4097 bytes of namespace$/,
    whose: 'choice',
    why: 'no track can be in a namespace of more than 4096 bytes',
  },
  {
    drafts: [14],
    names: /SUBSCRIBE_NAMESPACE 4096 bytes of name$/,
    whose: 'choice',
    why: 'a prefix without a field is everything: some clients ask for it so',
  },
  {
    drafts: [14],
    names: /_OK AUTHORIZATION_TOKEN (alias type 4|nothing|register, cut|delete and more|use value, cut)$/,
    whose: 'theirs',
    why: 'draft-14 9.2.1: in messages that have no place for a token it MUST be ignored',
  },
  {
    drafts: [14],
    names: /^SUBSCRIBE(_OK)? DELIVERY_TIMEOUT 0$/,
    whose: 'choice',
    why: 'that there is no timeout goes without saying',
  },
  {
    drafts: [14],
    names: /^FETCH_ERROR code 0x[68]$/,
    whose: 'choice',
    why: 'NO_OBJECTS and UNKNOWN_STATUS_IN_RANGE have no later name: INVALID_RANGE, INTERNAL_ERROR',
  },
  {
    drafts: [14],
    names: /^FETCH_OK group order 2$/,
    whose: 'choice',
    why: 'it is the order that was asked for, or that of the track, which is known',
  },
  {
    drafts: [14],
    names: /^CLIENT_SETUP of three versions$/,
    whose: 'choice',
    why: 'of the versions, only whether ours is among them is kept',
  },
  {
    drafts: [14],
    names: /^SERVER_SETUP everything$/,
    whose: 'choice',
    why: 'draft-14 9.3.2.6 gives MOQT_IMPLEMENTATION the number of AUTHORITY, which no server may send: it is dropped',
  },
];

const objects: readonly ExpectedFailure[] = [
  {
    drafts: from16,
    kind: 'fetch',
    names: /^(non-existent|unknown) marker (first|behind|between)/,
    whose: 'theirs',
    why: 'draft-18 11.4.4.2: a marker is flags, group and object. moqtap has a payload length behind it; moqtail, moq-net and quiche do not',
  },
  {
    drafts: from20,
    kind: 'fetch',
    names: /^timed out marker (first|behind|between)/,
    whose: 'theirs',
    why: 'the same of the third marker (draft-20 11.4.4.2)',
  },
  {
    drafts: [16],
    kind: 'fetch',
    names: /^an object that refers to a (subgroup|priority) before a (non-existent|unknown) marker$/,
    whose: 'theirs',
    why: 'the same',
  },
  {
    drafts: [16],
    kind: 'fetch',
    names: /^first with flags 0x([02][cf]|[46][c-f])$/,
    whose: 'theirs',
    why: 'draft-16 10.4.4.1: the priority of an object that was not there is referred to',
  },
  {
    drafts: from16,
    kind: 'fetch',
    names: /^object 1 and then object field 0$/,
    whose: 'theirs',
    why: 'draft-18 10.12.3: objects of a group are in the order of their ids',
  },
  {
    drafts: [16],
    kind: 'fetch',
    names: /^group 1 and then group field 0$/,
    whose: 'theirs',
    why: 'draft-16 9.16.3: groups are in the order that was asked for, which moqtap is not told',
  },
  {
    drafts: [14],
    kind: 'fetch',
    names: /^(priority \d+|status [034]( with properties)?|status 1|three objects)$/,
    whose: 'choice',
    why: 'an empty object is normal, or says that there is none: a fetch of later drafts has no status',
  },
  {
    drafts: [14, 16],
    kind: 'fetch',
    names: /^properties: (integer|bytes) cut$/,
    whose: 'choice',
    why: 'a block that ends within a pair: KEY_VALUE_FORMATTING_ERROR (draft-16 1.4.2)',
  },
  {
    drafts: from18,
    kind: 'fetch',
    names: /^properties: (integer cut|bytes cut|type above 2\^64-1)$/,
    whose: 'choice',
    why: 'properties of objects pass through unread (draft-18 2.5)',
  },
  {
    drafts: [14],
    kind: 'subgroup',
    names: /^status 1( with no properties)?$|^status [34] with properties$/,
    whose: 'choice',
    why: 'later drafts do not say that an object does not exist, and an end has no properties',
  },
  {
    drafts: from16,
    kind: 'subgroup',
    names: /^status [34] with properties$/,
    whose: 'theirs',
    why: 'draft-18 11.2.1.2: properties on what is not normal MUST close the session',
  },
  {
    drafts: [14, 16],
    kind: 'subgroup',
    names: /^properties: (integer|bytes) cut$/,
    whose: 'choice',
    why: 'a block that ends within a pair: KEY_VALUE_FORMATTING_ERROR (draft-16 1.4.2)',
  },
  {
    drafts: from18,
    kind: 'subgroup',
    names: /^properties: (integer cut|bytes cut|type above 2\^64-1)$/,
    whose: 'choice',
    why: 'properties of objects pass through unread (draft-18 2.5)',
  },
  {
    drafts: [16, 18, 19],
    kind: 'subgroup',
    names: /^type 0x14 in \d bytes$/,
    whose: 'theirs',
    why: 'draft-18 1.4.1: any length that holds the value is valid, as moqtap has it from draft-20 on',
  },
  {
    drafts: all,
    kind: 'subgroup',
    names: /^subgroup 0$/,
    whose: 'choice',
    why: 'subgroup 0 takes no field when we write it',
  },
  {
    drafts: [16, 18, 19],
    kind: 'datagram',
    names: /^type 0 in \d bytes$/,
    whose: 'theirs',
    why: 'draft-18 1.4.1: any length that holds the value is valid, as moqtap has it from draft-20 on',
  },
  {
    drafts: all,
    kind: 'datagram',
    names: /^type 0x21$|^status 0$/,
    whose: 'choice',
    why: 'a normal object without a payload takes no status when we write it',
  },
  {
    drafts: from16,
    kind: 'datagram',
    names: /^type 0x2[59d]$/,
    whose: 'choice',
    why: 'the same',
  },
  {
    drafts: all,
    kind: 'datagram',
    names: /^object 0$/,
    whose: 'choice',
    why: 'object 0 takes no field when we write it',
  },
  {
    drafts: [14, 16],
    kind: 'datagram',
    names: /^a status and more$|^properties: (integer|bytes) cut$/,
    whose: 'theirs',
    why: 'moqtap does not look at what is behind the header, nor into it',
  },
  {
    drafts: from18,
    kind: 'datagram',
    names: /^properties: (integer cut|bytes cut|type above 2\^64-1)$/,
    whose: 'choice',
    why: 'properties of objects pass through unread (draft-18 2.5)',
  },
  {
    drafts: [14],
    kind: 'datagram',
    names: /^status 1$|^status [34] with properties$/,
    whose: 'choice',
    why: 'later drafts do not say that an object does not exist, and an end has no properties',
  },
];

export const expectedFailures: readonly ExpectedFailure[] = [
  ...control.map((entry) => ({ ...entry, kind: 'control' as const })),
  ...objects,
];
