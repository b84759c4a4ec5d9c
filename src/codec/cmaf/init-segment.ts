import { ByteWriter, concat, utf8 } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import {
  type Box,
  findBox,
  fourCcBytes,
  needBox,
  needPath,
  readBoxes,
  readFullBox,
  writeBox,
  writeFullBox,
} from './boxes.ts';
import { parseTrackEdit, type TrackEdit } from './edit-list.ts';
import type { SampleDefaults } from './fragment.ts';
import { parseSampleEntry, type SampleEntry, type TrackDescription, writeSampleEntry } from './sample-entry.ts';

/** A track to be described by an init segment. */
export type InitTrack = TrackDescription & {
  trackId: number;
  /** Ticks per second of every time in its fragments. */
  timescale: number;
};

/** A track as an init segment describes it. */
export type ParsedTrack = SampleEntry & {
  trackId: number;
  timescale: number;
  /** From trex, for fragments that leave fields out. */
  defaults: SampleDefaults;
  edit: TrackEdit;
};

const identityMatrix = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/** `ftyp` + `moov` of one track, fragmented, durations 0 (CMAF header, ISO 23000-19 7.3.2.1). */
export function writeInitSegment(track: InitTrack): Uint8Array {
  const trak = writeTrak(track);
  const trex = writeFullBox('trex', 0, 0, words(track.trackId, 1, 0, 0, 0));
  return concat([writeFtyp(), writeMoov([trak], [trex], track.trackId + 1)]);
}

/** Brands of everything we write: iso6 is the first that has default-base-is-moof and tfdt, cmfc is CMAF. */
export function writeFtyp(): Uint8Array {
  return writeBox('ftyp', fourCcBytes('iso6'), words(0), fourCcBytes('iso6'), fourCcBytes('cmfc'), fourCcBytes('mp41'));
}

/** `moov` around whole trak and trex boxes. */
export function writeMoov(
  traks: readonly Uint8Array[],
  trexes: readonly Uint8Array[],
  nextTrackId: number,
): Uint8Array {
  const matrix = words(...identityMatrix);
  const head = new ByteWriter(96).u32(0).u32(0).u32(1000).u32(0).u32(0x10000).u16(0x100).u16(0).u32(0).u32(0);
  head.bytes(matrix).bytes(new Uint8Array(24)).u32(nextTrackId);
  return writeBox('moov', writeFullBox('mvhd', 0, 0, head.finish()), ...traks, writeBox('mvex', ...trexes));
}

/** Tracks of an `ftyp`+`moov` (anything may follow). At most 64. Throws MALFORMED. */
export function parseInitSegment(bytes: Uint8Array): ParsedTrack[] {
  const moov = readBoxes(needBox(readBoxes(bytes), 'moov').payload);
  const mvex = findBox(moov, 'mvex');
  const trexes = mvex === undefined ? [] : readBoxes(mvex.payload).filter((box) => box.type === 'trex');
  const defaults = new Map<number, SampleDefaults>();
  for (const trex of trexes) {
    const { reader } = readFullBox(trex);
    const trackId = reader.u32();
    reader.u32();
    defaults.set(trackId, { duration: reader.u32(), size: reader.u32(), flags: reader.u32() });
  }
  const movieTimescale = movieTimescaleOf(moov);
  const traks = moov.filter((box) => box.type === 'trak');
  if (traks.length > 64) throw new StreamsError('LIMIT_EXCEEDED', `${traks.length} tracks in an init segment`);
  return traks.map((trak) => {
    const boxes = readBoxes(trak.payload);
    const tkhd = readFullBox(needBox(boxes, 'tkhd'));
    tkhd.reader.take(tkhd.version === 1 ? 16 : 8);
    const trackId = tkhd.reader.u32();
    const mdia = readBoxes(needBox(boxes, 'mdia').payload);
    const mdhd = readFullBox(needBox(mdia, 'mdhd'));
    mdhd.reader.take(mdhd.version === 1 ? 16 : 8);
    const timescale = mdhd.reader.u32();
    if (timescale === 0) throw new StreamsError('MALFORMED', 'a timescale of 0');
    const stsd = readFullBox(needPath(mdia, 'minf', 'stbl', 'stsd'));
    if (stsd.reader.u32() === 0) throw new StreamsError('MALFORMED', 'no sample entry');
    const entry = readBoxes(stsd.reader.rest())[0];
    if (entry === undefined) throw new StreamsError('MALFORMED', 'no sample entry');
    return {
      ...parseSampleEntry(entry),
      trackId,
      timescale,
      defaults: defaults.get(trackId) ?? { duration: 0, size: 0, flags: 0 },
      edit: parseTrackEdit(boxes, movieTimescale, timescale),
    };
  });
}

/** Ticks per second of the durations in edit lists (mvhd); 0 where it is not said. */
function movieTimescaleOf(moov: readonly Box[]): number {
  const mvhd = findBox(moov, 'mvhd');
  if (mvhd === undefined) return 0;
  const { version, reader } = readFullBox(mvhd);
  reader.take(version === 1 ? 16 : 8);
  return reader.u32();
}

function writeTrak(track: InitTrack): Uint8Array {
  const video = track.kind === 'video';
  const tkhd = new ByteWriter(80).u32(0).u32(0).u32(track.trackId).u32(0).u32(0).u32(0).u32(0).u16(0).u16(0);
  tkhd
    .u16(video ? 0 : 0x100)
    .u16(0)
    .bytes(words(...identityMatrix));
  tkhd.u32((video ? track.width : 0) * 0x10000).u32((video ? track.height : 0) * 0x10000);
  // Language `und` (ISO 639-2/T, five bits a letter).
  const mdhd = new ByteWriter(20).u32(0).u32(0).u32(track.timescale).u32(0).u16(0x55c4).u16(0).finish();
  const hdlr = concat([words(0), fourCcBytes(video ? 'vide' : 'soun'), words(0, 0, 0), utf8(`${track.kind}\0`)]);
  const dinf = writeBox('dinf', writeFullBox('dref', 0, 0, words(1), writeFullBox('url ', 0, 1)));
  const stbl = writeBox(
    'stbl',
    writeFullBox('stsd', 0, 0, words(1), writeSampleEntry(track)),
    writeFullBox('stts', 0, 0, words(0)),
    writeFullBox('stsc', 0, 0, words(0)),
    writeFullBox('stsz', 0, 0, words(0, 0)),
    writeFullBox('stco', 0, 0, words(0)),
  );
  const header = video ? writeFullBox('vmhd', 0, 1, new Uint8Array(8)) : writeFullBox('smhd', 0, 0, words(0));
  const mdia = writeBox(
    'mdia',
    writeFullBox('mdhd', 0, 0, mdhd),
    writeFullBox('hdlr', 0, 0, hdlr),
    writeBox('minf', header, dinf, stbl),
  );
  return writeBox('trak', writeFullBox('tkhd', 0, 3, tkhd.finish()), mdia);
}

function words(...values: number[]): Uint8Array {
  const writer = new ByteWriter(values.length * 4);
  for (const value of values) writer.u32(value);
  return writer.finish();
}
