import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { readQuicCodePoint, writeQuicVarint } from '../quic-varint.ts';
import { http3Code, settingId } from './code-points.ts';
import { Http3Error } from './http3-error.ts';

/** Setting id → value, as in the frame (RFC 9114 7.2.4). Ids and values above 2^53-1 are only near (they are grease). */
export type Http3Settings = ReadonlyMap<number, number>;

/** What both our roles send: Chromium 156, quinn-based servers (drafts 02 and 07) and RFC 9220/9297 readers accept it. */
export const ourSettings: Http3Settings = new Map<number, number>([
  [settingId.qpackMaxTableCapacity, 0],
  [settingId.qpackBlockedStreams, 0],
  [settingId.enableConnectProtocol, 1],
  [settingId.h3Datagram, 1],
  [settingId.h3DatagramDraft04, 1],
  [settingId.enableWebTransport, 1],
  [settingId.webTransportMaxSessions, 1],
]);

export function encodeSettings(settings: Http3Settings): Uint8Array {
  const writer = new ByteWriter();
  for (const [id, value] of settings) {
    writeQuicVarint(writer, id);
    writeQuicVarint(writer, value);
  }
  return writer.finish();
}

/** The payload of a SETTINGS frame. Throws Http3Error (H3_SETTINGS_ERROR, or H3_FRAME_ERROR when truncated). */
export function decodeSettings(bytes: Uint8Array): Http3Settings {
  const reader = new ByteReader(bytes);
  const settings = new Map<number, number>();
  try {
    while (reader.remaining > 0) {
      const id = readQuicCodePoint(reader);
      const value = readQuicCodePoint(reader);
      // Ids above 2^53-1 are near, so two of them may look alike.
      if (settings.has(id) && Number.isSafeInteger(id)) {
        throw new Http3Error(http3Code.settingsError, `setting 0x${id.toString(16)} twice`);
      }
      settings.set(id, value);
    }
  } catch (error) {
    if (error instanceof Http3Error) throw error;
    throw new Http3Error(http3Code.frameError, 'truncated SETTINGS');
  }
  for (const id of [0x02, 0x03, 0x04, 0x05]) {
    if (settings.has(id)) throw new Http3Error(http3Code.settingsError, `setting of HTTP/2: 0x${id.toString(16)}`);
  }
  for (const id of [settingId.enableConnectProtocol, settingId.h3Datagram]) {
    if ((settings.get(id) ?? 0) > 1) {
      throw new Http3Error(http3Code.settingsError, `setting 0x${id.toString(16)} is neither 0 nor 1`);
    }
  }
  return settings;
}

/** Whether the sender of these answers WebTransport CONNECTs (RFC 9220 section 3 and any WebTransport draft). */
export function acceptsWebTransport(settings: Http3Settings): boolean {
  const on = (id: number) => (settings.get(id) ?? 0) > 0;
  return (
    on(settingId.enableConnectProtocol) || on(settingId.enableWebTransport) || on(settingId.webTransportMaxSessions)
  );
}
