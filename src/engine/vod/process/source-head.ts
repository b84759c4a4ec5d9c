import { type BoxHeader, needPath, readBoxes, readBoxHeader } from '../../../codec/cmaf/boxes.ts';
import { ByteReader } from '../../../core/bytes.ts';
import { sourceFile } from '../asset-record.ts';
import type { MediaStore } from '../media-store.ts';

/** What of a source was looked at before anything else reads it. */
export type SourceHead = {
  /** An MP4 of fragments: it has a moov with an mvex in it, and begins as we read it ourselves. */
  readonly fragmented: boolean;
  /** It says that its media are encrypted. */
  readonly encrypted: boolean;
};

const plain: SourceHead = { fragmented: false, encrypted: false };
const maxBoxesLookedAt = 4096;
const maxMoovBytes = 64 << 20;
/** MPEG-TS and Matroska say it at their beginning. */
const headBytes = 1 << 20;

/** Sample entries of ISO 14496-12 8.12, and of the shop whose files players of others cannot read. */
const encryptedEntries = new Set(['encv', 'enca', 'enct', 'encs', 'encm', 'drms', 'drmi', 'drmt']);
/** Boxes that a file of the MP4 family begins with. */
const firstBoxes = new Set(['ftyp', 'styp', 'moov', 'mdat', 'free', 'skip', 'wide', 'pnot', 'uuid']);

/** Looks at the beginning of a file, and at the moov wherever it is. What cannot be read is plain. */
export async function readSourceHead(store: MediaStore, assetId: string, size: number): Promise<SourceHead> {
  const head = await readSome(store, assetId, 0, Math.min(size, headBytes));
  if (isTransportStream(head)) return { fragmented: false, encrypted: isScrambled(head) };
  if (head.readUIntBE(0, Math.min(4, head.length)) === ebml)
    return { fragmented: false, encrypted: isEncryptedMatroska(head) };
  return (await movieHead(store, assetId, size)) ?? plain;
}

async function movieHead(store: MediaStore, assetId: string, size: number): Promise<SourceHead | undefined> {
  let offset = 0;
  let first: string | undefined;
  let mediaBefore = false;
  for (let i = 0; i < maxBoxesLookedAt && offset + 8 <= size; i++) {
    const header = boxHeader(await readSome(store, assetId, offset, Math.min(size, offset + 16)));
    if (header === undefined) return undefined;
    first ??= header.type;
    if (!firstBoxes.has(first)) return undefined;
    if (header.type === 'moov') {
      const end = Math.min(size, offset + (header.size === 0 ? maxMoovBytes : Math.min(header.size, maxMoovBytes)));
      const moov = await readSome(store, assetId, offset, end);
      const readable = !mediaBefore && (first === 'ftyp' || first === 'styp');
      return { fragmented: readable && moov.includes('mvex', 0, 'latin1'), encrypted: isEncryptedMovie(moov) };
    }
    if (header.size === 0) return undefined;
    mediaBefore ||= header.type === 'mdat';
    offset += header.size;
  }
  return undefined;
}

function boxHeader(bytes: Buffer): BoxHeader | undefined {
  try {
    return readBoxHeader(bytes) ?? undefined;
  } catch {
    return undefined;
  }
}

function isEncryptedMovie(moov: Uint8Array): boolean {
  try {
    return readBoxes(needPath(readBoxes(moov), 'moov').payload).some((trak) => {
      if (trak.type !== 'trak') return false;
      const stsd = needPath(readBoxes(trak.payload), 'mdia', 'minf', 'stbl', 'stsd');
      return readBoxes(stsd.payload.subarray(8)).some(({ type }) => encryptedEntries.has(type));
    });
  } catch {
    return false;
  }
}

const tsSync = 0x47;
/** Packets as they are, with a time before each (BDAV), or with a checksum behind each. */
const tsLayouts = [
  { size: 188, at: 0 },
  { size: 192, at: 4 },
  { size: 204, at: 0 },
];

function tsLayout(head: Uint8Array): (typeof tsLayouts)[number] | undefined {
  return tsLayouts.find(
    ({ size, at }) => head.length > at + 4 * size && [0, 1, 2, 3, 4].every((i) => head[at + i * size] === tsSync),
  );
}

function isTransportStream(head: Uint8Array): boolean {
  return tsLayout(head) !== undefined;
}

/** transport_scrambling_control (ISO 13818-1 2.4.3.3) of most packets that carry something. */
function isScrambled(head: Uint8Array): boolean {
  const { size, at } = tsLayout(head)!;
  let carrying = 0;
  let scrambled = 0;
  for (let i = at; i + 188 <= head.length; i += size) {
    const pid = ((head[i + 1]! & 0x1f) << 8) | head[i + 2]!;
    const control = head[i + 3]!;
    // Tables are never scrambled; those of a program are a small part of it.
    if (head[i] !== tsSync || pid < 0x20 || pid === 0x1fff || !(control & 0x10)) continue;
    carrying++;
    if (control & 0xc0) scrambled++;
  }
  return scrambled > carrying / 2;
}

const ebml = 0x1a45dfa3;
/** RFC 9559 5.1: Segment, Tracks, TrackEntry, ContentEncodings, ContentEncoding: the way to its ContentEncryption. */
const encryptionPath = [0x18538067, 0x1654ae6b, 0xae, 0x6d80, 0x6240, 0x5035];

function isEncryptedMatroska(head: Uint8Array): boolean {
  const found = (bytes: Uint8Array, [id, ...rest]: readonly number[]): boolean => {
    for (const element of ebmlElements(bytes))
      if (element.id === id && (rest.length === 0 || found(element.payload, rest))) return true;
    return false;
  };
  return found(head, encryptionPath);
}

/** Elements (RFC 8794 4 to 6) of `bytes`; the last may be cut off, and one without a size lasts to the end. */
function* ebmlElements(bytes: Uint8Array): Generator<{ id: number; payload: Uint8Array }> {
  const reader = new ByteReader(bytes);
  const number = (keepMarker: boolean): number => {
    const first = reader.u8();
    const more = Math.clz32(first) - 24;
    if (more > 7) throw new RangeError('no EBML number');
    let value = keepMarker ? first : first & (0x7f >> more);
    let whole = !keepMarker && value === 0x7f >> more;
    for (let i = 0; i < more; i++) {
      const byte = reader.u8();
      whole &&= byte === 0xff;
      value = value * 256 + byte;
    }
    return whole ? Number.POSITIVE_INFINITY : value;
  };
  while (reader.remaining > 2) {
    let id: number;
    let size: number;
    try {
      id = number(true);
      size = number(false);
    } catch {
      return;
    }
    yield { id, payload: reader.take(Math.min(size, reader.remaining)) };
  }
}

async function readSome(store: MediaStore, assetId: string, start: number, end: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of store.read(assetId, sourceFile, start, end)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
