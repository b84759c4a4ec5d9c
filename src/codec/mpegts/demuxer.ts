import { PacketSplitter } from './packet.ts';
import { PesAssembler, type WholePes } from './pes.ts';
import { type ElementaryStream, elementaryStreams, programMapPid, SectionAssembler } from './section.ts';

/** ISO 13818-1 table 2-34 with its amendments: the kinds that can become tracks. */
export type TsCodec = 'h264' | 'hevc' | 'aac-adts' | 'opus';

export type TsPes = WholePes & {
  pid: number;
  codec: TsCodec;
  /** Of Opus; 0 where it is not said. */
  channels: number;
};

const maxTracks = 8;

function codecOf(stream: ElementaryStream): TsCodec | undefined {
  if (stream.streamType === 0x1b) return 'h264';
  if (stream.streamType === 0x24) return 'hevc';
  if (stream.streamType === 0x0f) return 'aac-adts';
  return stream.streamType === 0x06 && stream.registration === 'Opus' ? 'opus' : undefined;
}

/**
 * MPEG-TS bytes → PES packets of the first program's streams (ISO 13818-1). Resumable; bounded by `maxTracks` PES packets
 * of 8 MiB; hostile bytes are passed over, never thrown at.
 */
export class TsDemuxer {
  readonly #splitter = new PacketSplitter();
  readonly #association = new SectionAssembler();
  #mapPid: number | undefined;
  #map = new SectionAssembler();
  readonly #tracks = new Map<number, { codec: TsCodec; channels: number; assembler: PesAssembler }>();
  /** Stream types that were announced and are not carried, for one clear log line. */
  readonly unsupported = new Set<number>();

  push(bytes: Uint8Array): TsPes[] {
    const found: TsPes[] = [];
    for (const packet of this.#splitter.push(bytes)) {
      if (packet.transportError || packet.scrambled) continue;
      if (packet.pid === 0) this.#associate(packet.payload, packet.start);
      else if (packet.pid === this.#mapPid) this.#mapped(packet.payload, packet.start);
      else {
        const track = this.#tracks.get(packet.pid);
        if (track !== undefined)
          for (const pes of track.assembler.push(packet))
            found.push({ ...pes, pid: packet.pid, codec: track.codec, channels: track.channels });
      }
    }
    return found;
  }

  /** The last PES packets, whose end only the end of the stream shows. */
  flush(): TsPes[] {
    const found: TsPes[] = [];
    for (const [pid, { codec, channels, assembler }] of this.#tracks) {
      const pes = assembler.flush();
      if (pes !== undefined) found.push({ ...pes, pid, codec, channels });
    }
    return found;
  }

  /** Bytes are missing between the last push and the next: what they may have torn is dropped. */
  gap(): void {
    for (const { assembler } of this.#tracks.values()) assembler.gap();
  }

  /** Streams that are carried, as far as the program map is known. */
  get tracks(): number {
    return this.#tracks.size;
  }

  get lostPackets(): number {
    let lost = 0;
    for (const { assembler } of this.#tracks.values()) lost += assembler.lostPackets;
    return lost;
  }

  get skippedBytes(): number {
    return this.#splitter.skippedBytes;
  }

  #associate(payload: Uint8Array, start: boolean): void {
    const section = this.#association.push(payload, start);
    const pid = section === undefined ? undefined : programMapPid(section);
    if (pid === undefined || pid === this.#mapPid) return;
    this.#mapPid = pid;
    this.#map = new SectionAssembler();
  }

  #mapped(payload: Uint8Array, start: boolean): void {
    const section = this.#map.push(payload, start);
    const streams = section === undefined ? undefined : elementaryStreams(section);
    if (streams === undefined) return;
    for (const pid of this.#tracks.keys()) if (!streams.some((stream) => stream.pid === pid)) this.#tracks.delete(pid);
    for (const stream of streams) {
      const codec = codecOf(stream);
      if (codec === undefined) this.unsupported.add(stream.streamType);
      else if (this.#tracks.get(stream.pid)?.codec !== codec && this.#tracks.size < maxTracks)
        this.#tracks.set(stream.pid, { codec, channels: stream.opusChannels, assembler: new PesAssembler() });
    }
  }
}
