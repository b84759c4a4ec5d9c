import { frameType, http3Code } from './code-points.ts';
import { Http3Error } from './http3-error.ts';
import { encodeTypeLengthValue, TypeLengthValueDecoder } from './type-length-value.ts';

/** RFC 9114 section 7.2. `data` holds a piece: a DATA frame is handed on as its bytes come. */
export type Http3Frame =
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'headers'; readonly bytes: Uint8Array }
  | { readonly type: 'settings'; readonly bytes: Uint8Array }
  | { readonly type: 'goaway'; readonly bytes: Uint8Array };

/** Frame types of HTTP/2 that HTTP/3 forbids (RFC 9114 7.2.8). */
const forbidden = new Set([0x02, 0x06, 0x08, 0x09]);

const names = new Map<number, Http3Frame['type']>([
  [frameType.data, 'data'],
  [frameType.headers, 'headers'],
  [frameType.settings, 'settings'],
  [frameType.goaway, 'goaway'],
]);

const types = {
  data: frameType.data,
  headers: frameType.headers,
  settings: frameType.settings,
  goaway: frameType.goaway,
};

export function encodeFrame(frame: Http3Frame): Uint8Array {
  return encodeTypeLengthValue(types[frame.type], frame.bytes);
}

/**
 * Frames of one stream, from chunks cut anywhere. Unknown types are skipped, whatever their length; HEADERS, SETTINGS and
 * GOAWAY above `maxFrameBytes` (default 16 KiB) are LIMIT_EXCEEDED. Throws Http3Error; the connection is over then.
 */
export class Http3FrameDecoder {
  readonly #units: TypeLengthValueDecoder;
  readonly #onControlStream: boolean;
  readonly #maxFrameBytes: number;
  #settingsSeen = false;

  constructor(options: { stream: 'control' | 'request'; maxFrameBytes?: number }) {
    this.#onControlStream = options.stream === 'control';
    this.#maxFrameBytes = options.maxFrameBytes ?? 16 * 1024;
    this.#units = new TypeLengthValueDecoder((type, length) => this.#handling(type, length));
  }

  push(bytes: Uint8Array): Http3Frame[] {
    const frames: Http3Frame[] = [];
    this.#units.push(bytes, (type, value) => {
      const name = names.get(type);
      if (name !== undefined) frames.push({ type: name, bytes: value });
    });
    return frames;
  }

  /** Call at FIN. Throws Http3Error H3_FRAME_ERROR in the middle of a frame. */
  finish(): void {
    if (!this.#units.atBoundary) throw new Http3Error(http3Code.frameError, 'the stream ended inside a frame');
  }

  #handling(type: number, length: number): 'collect' | 'pass' | 'skip' {
    if (this.#onControlStream && !this.#settingsSeen) {
      if (type !== frameType.settings) {
        throw new Http3Error(http3Code.missingSettings, 'the control stream does not begin with SETTINGS');
      }
    } else if (type === frameType.settings) {
      throw new Http3Error(http3Code.frameUnexpected, 'SETTINGS out of place');
    }
    this.#settingsSeen = true;
    if (forbidden.has(type)) throw new Http3Error(http3Code.frameUnexpected, `frame of HTTP/2: 0x${type.toString(16)}`);
    const isRequestFrame = type === frameType.data || type === frameType.headers || type === frameType.pushPromise;
    const isControlFrame = type === frameType.goaway || type === frameType.maxPushId || type === frameType.cancelPush;
    if (this.#onControlStream ? isRequestFrame : isControlFrame) {
      throw new Http3Error(http3Code.frameUnexpected, `frame 0x${type.toString(16)} on the wrong stream`);
    }
    // We never send MAX_PUSH_ID, so nobody may push.
    if (type === frameType.pushPromise) throw new Http3Error(http3Code.idError, 'PUSH_PROMISE without MAX_PUSH_ID');
    if (type === frameType.data) return 'pass';
    if (!names.has(type)) return 'skip';
    if (length > this.#maxFrameBytes) {
      throw new Http3Error(http3Code.excessiveLoad, `frame of ${length} bytes`, 'LIMIT_EXCEEDED');
    }
    return 'collect';
  }
}
