import { parseAv1Config, writeAv1Config } from '../../codec/av1/av1-config.ts';
import { readObus, writeObus } from '../../codec/av1/obu.ts';
import { hasFrame, isKeyUnit, sampleObus, sequenceHeaderOf } from '../../codec/av1/temporal-unit.ts';
import { lengthPrefixed } from '../../codec/h264/annex-b.ts';
import { parseAvcConfig, toFourByteLengths, withFourByteLengths } from '../../codec/h264/avc-config.ts';
import { parseHevcConfig, withFourByteHevcLengths } from '../../codec/hevc/hevc-config.ts';
import { parseVp8KeyFrame } from '../../codec/vp8/frame-header.ts';
import { parseVp9KeyFrame } from '../../codec/vp9/frame-header.ts';
import { bareVpConfig, vpCodecString } from '../../codec/vp9/vp-config.ts';
import type { VideoUnit } from '../../core/media-unit.ts';
import { type NalCodec, nalForms } from './nal-forms.ts';

/** A sample as units have it. */
export type IsoPicture = Pick<VideoUnit, 'codec' | 'keyframe' | 'data' | 'config' | 'size'>;

/**
 * Samples of one configuration in the form of MP4, which Enhanced RTMP has too, to pictures; undefined for those before
 * anything can be shown. `keyframe`: what the sender says. Throws MALFORMED.
 */
export type IsoVideo = (data: Uint8Array, keyframe: boolean) => IsoPicture | undefined;

type Size = NonNullable<VideoUnit['size']>;

/** `size`: pixels, where the container says so. Throws MALFORMED. */
export function isoVideo(codec: VideoUnit['codec'], config: Uint8Array, size?: Size): IsoVideo {
  switch (codec) {
    case 'h264': {
      const { nalLengthSize } = parseAvcConfig(config);
      return nalUnits(codec, nalLengthSize, withFourByteLengths(config), size);
    }
    case 'hevc': {
      const { nalLengthSize } = parseHevcConfig(config);
      return nalUnits(codec, nalLengthSize, withFourByteHevcLengths(config), size);
    }
    case 'av1':
      return av1(config, size);
    case 'vp9':
    case 'vp8':
      return vp(codec, bareVpConfig(config));
  }
}

function nalUnits(codec: NalCodec, nalLengthSize: number, config: Uint8Array, size: Size | undefined): IsoVideo {
  let first: Pick<VideoUnit, 'config' | 'size'> = { config, ...(size === undefined ? {} : { size }) };
  const { entryPoint } = nalForms[codec];
  return (sample, said) => {
    const data = toFourByteLengths(sample, nalLengthSize);
    // What is in the picture counts: senders call everything a keyframe, or nothing but IDR pictures.
    const keyframe = entryPoint(lengthPrefixed(data), said) !== undefined;
    const picture = { codec, keyframe, data, ...first };
    first = {};
    return picture;
  };
}

function av1(record: Uint8Array, size: Size | undefined): IsoVideo {
  const whole = parseAv1Config(record).sequence !== undefined;
  let said = false;
  return (sample, keyframe) => {
    const obus = sampleObus(readObus(sample));
    if (!hasFrame(obus)) return undefined;
    const picture: IsoPicture = { codec: 'av1', keyframe: keyframe && isKeyUnit(obus), data: writeObus(obus) };
    if (said) return picture;
    // A record without a sequence header is completed from the first keyframe.
    const header = sequenceHeaderOf(obus);
    if (!whole && !(picture.keyframe && header !== undefined)) return undefined;
    said = true;
    const config = whole ? record : writeAv1Config(header!);
    return { ...picture, config, ...(size === undefined ? {} : { size }) };
  };
}

function vp(codec: 'vp8' | 'vp9', config: Uint8Array): IsoVideo {
  vpCodecString(codec === 'vp9' ? 'vp09' : 'vp08', config);
  let known: Size | undefined;
  return (data, said) => {
    const key = codec === 'vp9' ? parseVp9KeyFrame(data) : parseVp8KeyFrame(data);
    const keyframe = said && key !== undefined;
    if (keyframe && (key.width !== known?.width || key.height !== known.height)) {
      known = { width: key.width, height: key.height };
      return { codec, keyframe, data, config, size: known };
    }
    return known === undefined ? undefined : { codec, keyframe, data };
  };
}
