import type { ControlDecoder } from './control/control-decoder.ts';
import type { ObjectDatagram } from './data/datagram.ts';
import type { FetchDecoder, FetchEncoder } from './data/fetch-stream.ts';
import type { SubgroupDecoder } from './data/object-stream.ts';
import type { WireSubgroupHeader } from './data/subgroup-header.ts';
import type { TrackProperties } from './fields/track-properties.ts';
import type { Message } from './message.ts';
import type { GroupOrder, MoqObject } from './model.ts';
import type { Varints } from './varint.ts';

/** How objects look on the wire of a version, MoQT or moq-lite: what a relay needs to write them once for many viewers. */
export type ObjectDialect = {
  /** `moqt-18`, `moq-lite-05`, …: mostly ALPN and WebTransport subprotocol as well. */
  readonly version: string;
  /**
   * See object-stream.ts. The same bytes fit every stream whose previous object and properties bit are the same.
   * `previousProperties` are those of the previous object. No bytes: this version says it without any.
   */
  encodeObject(
    previousObjectId: number | undefined,
    object: MoqObject,
    withProperties: boolean,
    previousProperties?: Uint8Array,
  ): Uint8Array;
  /** undefined: this version cannot say it in a datagram. */
  encodeDatagram(datagram: ObjectDatagram): Uint8Array | undefined;
  readTrackProperties(bytes: Uint8Array): TrackProperties;
  /** A subscription stays when its range is past, and may begin so (draft-20 on): an update can give it another. */
  readonly outlivesRange?: boolean;
  /** Codes of RESET_STREAM and STOP_SENDING on data streams, where they are not those of draft-18 (3.3.3). */
  readonly resetCodes?: { toWire(code: number): number; fromWire(code: number): number };
};

/**
 * One version of MoQT: all that differs between drafts, so that nothing else has to ask which one it speaks. What a dialect
 * cannot say it refuses with UNSUPPORTED.
 */
export type Dialect = Omit<ObjectDialect, 'encodeDatagram'> & {
  /** ALPN and WebTransport subprotocol, where that is not the name of the version. */
  readonly protocol?: string;
  /**
   * Where control messages travel: `perRequest` (draft-17 on) a pair of unidirectional control streams and one bidirectional stream
   * a request; `shared` (draft-15, draft-16) a single bidirectional stream for all but subscriptions to a prefix; `one` (draft-14) for
   * everything, where namespaces below a prefix are told as PUBLISH_NAMESPACE, and an update says all terms and has no answer.
   */
  readonly requestStreams: 'perRequest' | 'shared' | 'one';
  readonly varints: Varints;
  /** GOAWAY on the control stream does not say which requests were seen (draft-19 on). */
  readonly goawayWithoutRequestId?: boolean;
  /** A session may have several subscriptions to one track, which may share an alias (draft-19 on, 5.1). */
  readonly concurrentSubscriptions?: boolean;
  /** There are range filters, and MAX_FILTER_RANGES in SETUP (draft-19 on). */
  readonly rangeFilters?: boolean;
  /** A fetch that joins a subscription is one of a range (draft-20 on). */
  readonly withoutJoiningFetch?: boolean;
  /** Who takes a track that is offered says its terms in an update (draft-20 on). */
  readonly withoutPublishOkTerms?: boolean;

  encodeMessage(message: Message): Uint8Array;
  controlDecoder(): ControlDecoder;

  /** What a unidirectional stream is, by the integer it begins with; `unknown` closes the session. */
  streamKind(type: number): 'control' | 'subgroup' | 'fetch' | 'padding' | 'unknown';
  encodeSubgroupHeader(header: WireSubgroupHeader): Uint8Array;
  subgroupDecoder(options?: { maxObjectBytes?: number }): SubgroupDecoder;

  encodeFetchHeader(requestId: number): Uint8Array;
  /** See fetch-stream.ts: objects and markers behind the header. */
  fetchEncoder(order: GroupOrder): Pick<FetchEncoder, 'encode'>;
  fetchDecoder(order: GroupOrder, options?: { maxObjectBytes?: number }): Pick<FetchDecoder, 'push' | 'finish'>;

  encodeDatagram(datagram: ObjectDatagram): Uint8Array;
  /** A datagram that says nothing, with so many bytes of padding; absent where the version has none. */
  encodePaddingDatagram?(paddingBytes: number): Uint8Array;
  /** undefined: padding. */
  decodeDatagram(bytes: Uint8Array): ObjectDatagram | undefined;
};
