import { writeAv1Config } from '../../../codec/av1/av1-config.ts';
import { type Obu, writeObus } from '../../../codec/av1/obu.ts';
import { hasFrame, isKeyUnit, sampleObus, sequenceHeaderOf } from '../../../codec/av1/temporal-unit.ts';
import { withLengths } from '../../../codec/h264/annex-b.ts';
import { ParameterSets } from '../../../codec/h264/parameter-sets.ts';
import { HevcParameterSets } from '../../../codec/hevc/parameter-sets.ts';
import { Av1Payload } from '../../../codec/rtp/av1-payload.ts';
import { FrameAssembler, type RtpFrame } from '../../../codec/rtp/frame-assembler.ts';
import { H264Payload } from '../../../codec/rtp/h264-payload.ts';
import { HevcPayload } from '../../../codec/rtp/hevc-payload.ts';
import type { OrderedPacket } from '../../../codec/rtp/reorder-buffer.ts';
import { Vp8Payload } from '../../../codec/rtp/vp8-payload.ts';
import { Vp9Payload } from '../../../codec/rtp/vp9-payload.ts';
import type { RtpCodec } from '../../../codec/sdp/publish-offer.ts';
import { parseVp8KeyFrame } from '../../../codec/vp8/frame-header.ts';
import { parseVp9KeyFrame } from '../../../codec/vp9/frame-header.ts';
import { writeVpConfig } from '../../../codec/vp9/vp-config.ts';
import { bytesEqual } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { VideoUnit } from '../../../core/media-unit.ts';
import { type NalCodec, nalForms } from '../nal-forms.ts';

/** A frame as a sample of MP4. */
export type Picture = Pick<VideoUnit, 'codec' | 'keyframe' | 'data' | 'config' | 'size'> & {
  timestamp: number;
  afterLoss: boolean;
};

/** RTP packets in order to pictures. May throw MALFORMED. */
export type PictureReader = (packet: OrderedPacket) => Picture[];

/** The reader of a video codec. */
export function pictureReader(codec: Exclude<RtpCodec, 'opus'>): PictureReader {
  switch (codec) {
    case 'h264':
      return reader(new FrameAssembler(new H264Payload()), nalPictures(codec, new ParameterSets()));
    case 'hevc':
      return reader(new FrameAssembler(new HevcPayload()), nalPictures(codec, new HevcParameterSets()));
    case 'av1':
      return reader(new FrameAssembler(new Av1Payload()), av1Pictures());
    case 'vp9':
      return reader(new FrameAssembler(new Vp9Payload()), vpPictures(codec));
    case 'vp8':
      return reader(new FrameAssembler(new Vp8Payload()), vpPictures(codec));
  }
}

type Content = Omit<Picture, 'timestamp' | 'afterLoss'>;

function reader<T>(assembler: FrameAssembler<T>, picture: (content: T) => Content | undefined): PictureReader {
  return (packet) =>
    assembler.push(packet).flatMap(({ timestamp, afterLoss, content }: RtpFrame<T>) => {
      const made = picture(content);
      return made === undefined ? [] : [{ timestamp, afterLoss, ...made }];
    });
}

function nalPictures(codec: NalCodec, sets: ParameterSets | HevcParameterSets) {
  const form = nalForms[codec];
  return (nals: Uint8Array[]): Content | undefined => {
    const kept = nals.filter((nal) => !form.isFraming(form.typeOf(nal)) && !sets.take(nal));
    if (!kept.some((nal) => form.isSlice(form.typeOf(nal)))) return undefined;
    const keyframe = form.entryPoint(nals, false) !== undefined;
    const config = keyframe ? sets.changedConfig() : undefined;
    return { codec, keyframe, data: withLengths(kept), ...(config === undefined ? {} : { config }) };
  };
}

function av1Pictures() {
  let known: Uint8Array | undefined;
  return (obus: Obu[]): Content | undefined => {
    const kept = sampleObus(obus);
    if (!hasFrame(kept)) return undefined;
    const header = sequenceHeaderOf(kept);
    const keyframe = header !== undefined && isKeyUnit(kept);
    const config = keyframe ? writeAv1Config(header) : undefined;
    const isNew = config !== undefined && (known === undefined || !bytesEqual(known, config));
    if (isNew) known = config;
    return { codec: 'av1', keyframe, data: writeObus(kept), ...(isNew ? { config } : {}) };
  };
}

function vpPictures(codec: 'vp8' | 'vp9') {
  let known: { width: number; height: number } | undefined;
  return (data: Uint8Array): Content => {
    const key = codec === 'vp9' ? parseVp9KeyFrame(data) : parseVp8KeyFrame(data);
    if (codec === 'vp8' && key === undefined && (data[0]! & 1) === 0)
      throw new StreamsError('MALFORMED', 'VP8 key frame header');
    const isNew = key !== undefined && (key.width !== known?.width || key.height !== known?.height);
    if (!isNew) return { codec, keyframe: key !== undefined, data };
    known = key;
    return { codec, keyframe: true, data, config: writeVpConfig(key), size: { width: key.width, height: key.height } };
  };
}
