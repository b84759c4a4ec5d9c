import type { OutgoingFrame, QmuxFrame } from '../../../src/codec/qmux/frames.ts';
import { defaultParameters } from '../../../src/codec/qmux/parameters.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

export type WireCase<T extends QmuxFrame = QmuxFrame> = { name: string; hex: string; frame: T };

/** Frames we also write, in the form we write them. */
export const written: WireCase<OutgoingFrame>[] = [
  {
    name: 'RESET_STREAM',
    hex: '04 /*id*/ 06 /*code*/ 1a /*final size*/ 4400',
    frame: { type: 'reset-stream', id: 6, code: 26, finalSize: 1024 },
  },
  { name: 'STOP_SENDING', hex: '05 03 4064', frame: { type: 'stop-sending', id: 3, code: 100 } },
  { name: 'MAX_DATA', hex: '10 80100000', frame: { type: 'max-data', max: 1 << 20 } },
  { name: 'MAX_STREAM_DATA', hex: '11 02 80040000', frame: { type: 'max-stream-data', id: 2, max: 1 << 18 } },
  { name: 'MAX_STREAMS both ways', hex: '12 4100', frame: { type: 'max-streams', bidirectional: true, max: 256 } },
  { name: 'MAX_STREAMS one way', hex: '13 4400', frame: { type: 'max-streams', bidirectional: false, max: 1024 } },
  {
    name: 'CONNECTION_CLOSE of the transport',
    hex: '1c /*code*/ 0a /*frame type*/ 00 /*reason*/ 03 626164',
    frame: { type: 'close', by: 'transport', code: 10, reason: 'bad' },
  },
  {
    name: 'CONNECTION_CLOSE of the application',
    hex: '1d /*code*/ 5234 /*reason*/ 02 c3bc',
    frame: { type: 'close', by: 'application', code: 0x1234, reason: 'ü' },
  },
  {
    name: 'QX_TRANSPORT_PARAMETERS',
    hex: 'ff5153300d0a0d0a /*length*/ 0a /*max_idle_timeout*/ 01 04 80007530 /*initial_max_streams_uni*/ 09 02 4064',
    frame: {
      type: 'parameters',
      parameters: { ...defaultParameters, maxIdleTimeout: 30_000, initialMaxStreamsUni: 100 },
    },
  },
  { name: 'QX_PING', hex: 'f48c67529ef8c7bd 07', frame: { type: 'ping', response: false, sequence: 7n } },
  {
    name: 'QX_PING answer with the largest number',
    hex: 'f48c67529ef8c7be ffffffffffffffff',
    frame: { type: 'ping', response: true, sequence: 2n ** 62n - 1n },
  },
];

/** Frames, and forms of them, that only peers write. */
export const readOnly: WireCase[] = [
  {
    name: 'STREAM with offset, length and FIN',
    hex: '0f /*id*/ 02 /*offset*/ 05 /*length*/ 03 010203',
    frame: { type: 'stream', id: 2, offset: 5, data: bytes(1, 2, 3), fin: true },
  },
  {
    name: 'STREAM to the end of the record',
    hex: '08 04 0102',
    frame: { type: 'stream', id: 4, offset: undefined, data: bytes(1, 2), fin: false },
  },
  {
    name: 'STREAM in a type of two bytes',
    hex: '4009 04',
    frame: { type: 'stream', id: 4, offset: undefined, data: bytes(), fin: true },
  },
  { name: 'DATA_BLOCKED', hex: '14 4064', frame: { type: 'blocked' } },
  { name: 'STREAM_DATA_BLOCKED', hex: '15 02 4064', frame: { type: 'blocked' } },
  { name: 'STREAMS_BLOCKED', hex: '17 4064', frame: { type: 'blocked' } },
  { name: 'DATAGRAM', hex: '30 0102', frame: { type: 'datagram', data: bytes(1, 2), frameBytes: 3 } },
  { name: 'DATAGRAM with length', hex: '31 02 0102', frame: { type: 'datagram', data: bytes(1, 2), frameBytes: 4 } },
];

/** What closes the connection, with its code (RFC 9000 20.1). */
export const broken: { name: string; hex: string; closeCode: number }[] = [
  { name: 'PING of QUIC', hex: '01', closeCode: 7 },
  { name: 'ACK', hex: '02 00 00 00 00', closeCode: 7 },
  { name: 'CRYPTO', hex: '06 00 00', closeCode: 7 },
  { name: 'HANDSHAKE_DONE', hex: '1e', closeCode: 7 },
  { name: 'an unknown type', hex: '4321', closeCode: 7 },
  { name: 'RESET_STREAM_AT, which we do not offer', hex: '24 02 00 00 00', closeCode: 7 },
  { name: 'half a STREAM frame', hex: '0a 02 05 01', closeCode: 7 },
  { name: 'half a type', hex: 'f48c', closeCode: 7 },
  { name: 'a stream id above 2^53', hex: '08 ffffffffffffffff', closeCode: 7 },
  { name: 'MAX_STREAMS above 2^60', hex: '12 d000000000001000', closeCode: 7 },
  { name: 'a reason longer than the record', hex: '1d 00 40ff 61', closeCode: 7 },
  { name: 'a parameter QMux forbids', hex: 'ff5153300d0a0d0a 03 03 01 00', closeCode: 8 },
  { name: 'a parameter twice', hex: 'ff5153300d0a0d0a 06 01 01 05 01 01 05', closeCode: 8 },
  { name: 'a parameter that is no integer', hex: 'ff5153300d0a0d0a 04 01 02 0505', closeCode: 8 },
  { name: 'half a parameter', hex: 'ff5153300d0a0d0a 02 01 05', closeCode: 8 },
  { name: 'a max_record_size below the least', hex: 'ff5153300d0a0d0a 0b c571c59429cd0845 02 7000', closeCode: 8 },
];

/** Hexadecimal without the annotations. */
export function plain(hex: string): string {
  return hex.replace(/\/\*.*?\*\//g, '');
}
