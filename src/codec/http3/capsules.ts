import { ByteReader, ByteWriter, emptyBytes, fromUtf8, utf8 } from '../../core/bytes.ts';
import { capsuleType, http3Code } from './code-points.ts';
import { Http3Error } from './http3-error.ts';
import { encodeTypeLengthValue, TypeLengthValueDecoder } from './type-length-value.ts';

/** Capsules of a WebTransport session (RFC 9297 section 3.2; draft-ietf-webtrans-http3 sections 4.6 and 5). */
export type Capsule =
  /** CLOSE_WEBTRANSPORT_SESSION: 32-bit application code; reason of at most 1024 bytes of UTF-8. */
  { readonly type: 'close'; readonly code: number; readonly reason: string } | { readonly type: 'drain' };

const maxReasonBytes = 1024;

/** A longer reason is cut at a character. */
export function encodeCapsule(capsule: Capsule): Uint8Array {
  if (capsule.type === 'drain') return encodeTypeLengthValue(capsuleType.drainWebTransportSession, emptyBytes);
  const reason = cut(utf8(capsule.reason));
  const value = new ByteWriter(4 + reason.length).u32(capsule.code).bytes(reason).finish();
  return encodeTypeLengthValue(capsuleType.closeWebTransportSession, value);
}

function cut(reason: Uint8Array): Uint8Array {
  if (reason.length <= maxReasonBytes) return reason;
  let end = maxReasonBytes;
  while (end > 0 && (reason[end]! & 0xc0) === 0x80) end--;
  return reason.subarray(0, end);
}

/** From the DATA of the CONNECT stream, cut anywhere. Unknown capsules are skipped. Throws Http3Error. */
export class CapsuleDecoder {
  readonly #units = new TypeLengthValueDecoder((type, length) => {
    if (type === capsuleType.closeWebTransportSession) {
      if (length < 4 || length > 4 + maxReasonBytes) {
        throw new Http3Error(http3Code.messageError, `CLOSE_WEBTRANSPORT_SESSION of ${length} bytes`);
      }
      return 'collect';
    }
    if (type === capsuleType.drainWebTransportSession) {
      if (length !== 0) throw new Http3Error(http3Code.messageError, 'DRAIN_WEBTRANSPORT_SESSION is not empty');
      return 'collect';
    }
    return 'skip';
  });

  push(bytes: Uint8Array): Capsule[] {
    const capsules: Capsule[] = [];
    this.#units.push(bytes, (type, value) => {
      if (type === capsuleType.drainWebTransportSession) capsules.push({ type: 'drain' });
      else {
        const reader = new ByteReader(value);
        capsules.push({ type: 'close', code: reader.u32(), reason: fromUtf8(reader.rest()) });
      }
    });
    return capsules;
  }
}
