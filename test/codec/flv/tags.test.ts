import { describe, expect, it } from 'vitest';
import { decodeAudioTag } from '../../../src/codec/flv/audio-tag.ts';
import { FlvReader } from '../../../src/codec/flv/flv-reader.ts';
import { decodeVideoTag } from '../../../src/codec/flv/video-tag.ts';
import { fromHex } from '../../../src/core/bytes.ts';

const data = fromHex('aabb');
const video = [
  { name: 'AVC sequence header', bytes: '17 00 000000 aabb', value: { kind: 'config', codec: 'h264', config: data } },
  {
    name: 'AVC keyframe',
    bytes: '17 01 000050 aabb',
    value: { kind: 'frame', codec: 'h264', keyframe: true, compositionOffset: 80, data },
  },
  {
    name: 'AVC frame with a negative offset',
    bytes: '27 01 ffffd8 aabb',
    value: { kind: 'frame', codec: 'h264', keyframe: false, compositionOffset: -40, data },
  },
  { name: 'AVC end of sequence', bytes: '17 02 000000', value: { kind: 'end' } },
  { name: 'command frame', bytes: '57 00', value: { kind: 'ignored' } },
  {
    name: 'enhanced SequenceStart avc1',
    bytes: '90 61766331 aabb',
    value: { kind: 'config', codec: 'h264', config: data },
  },
  {
    name: 'enhanced CodedFrames avc1',
    bytes: '91 61766331 000050 aabb',
    value: { kind: 'frame', codec: 'h264', keyframe: true, compositionOffset: 80, data },
  },
  {
    name: 'enhanced CodedFramesX avc1',
    bytes: 'a3 61766331 aabb',
    value: { kind: 'frame', codec: 'h264', keyframe: false, compositionOffset: 0, data },
  },
  {
    name: 'enhanced CodedFrames hvc1',
    bytes: '91 68766331 000050 aabb',
    value: { kind: 'frame', codec: 'hevc', keyframe: true, compositionOffset: 80, data },
  },
  {
    name: 'enhanced CodedFrames av01, without an offset',
    bytes: '91 61763031 aabb',
    value: { kind: 'frame', codec: 'av1', keyframe: true, compositionOffset: 0, data },
  },
  {
    name: 'enhanced SequenceStart vp09',
    bytes: '90 76703039 aabb',
    value: { kind: 'config', codec: 'vp9', config: data },
  },
  { name: 'enhanced SequenceEnd', bytes: '92 61766331', value: { kind: 'end' } },
  { name: 'enhanced Metadata', bytes: '94 61766331 02', value: { kind: 'ignored' } },
  {
    name: 'ModEx with nanoseconds before CodedFramesX',
    bytes: '97 02 010203 03 61766331 aabb',
    value: { kind: 'frame', codec: 'h264', keyframe: true, compositionOffset: 0, data },
  },
  {
    name: 'the first of several tracks',
    bytes: '96 03 61766331 00 aabb',
    value: { kind: 'frame', codec: 'h264', keyframe: true, compositionOffset: 0, data },
  },
  { name: 'another of several tracks', bytes: '96 03 61766331 01 aabb', value: { kind: 'ignored' } },
];
const audio = [
  { name: 'AAC sequence header', bytes: 'af 00 aabb', value: { kind: 'config', codec: 'aac', config: data } },
  { name: 'AAC frame', bytes: 'af 01 aabb', value: { kind: 'frame', codec: 'aac', data } },
  {
    name: 'enhanced SequenceStart mp4a',
    bytes: '90 6d703461 aabb',
    value: { kind: 'config', codec: 'aac', config: data },
  },
  { name: 'enhanced CodedFrames Opus', bytes: '91 4f707573 aabb', value: { kind: 'frame', codec: 'opus', data } },
  { name: 'enhanced MultichannelConfig', bytes: '94 6d703461 00', value: { kind: 'ignored' } },
  { name: 'another of several tracks', bytes: '95 01 6d703461 01 aabb', value: { kind: 'ignored' } },
];

describe('FLV tags', () => {
  it.each(video)('video: $name', ({ bytes, value }) => {
    expect(decodeVideoTag(fromHex(bytes))).toEqual(value);
  });
  it.each(audio)('audio: $name', ({ bytes, value }) => {
    expect(decodeAudioTag(fromHex(bytes))).toEqual(value);
  });
  it('name what they cannot carry', () => {
    expect(() => decodeVideoTag(fromHex('12 00'))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('H.263') }),
    );
    expect(() => decodeAudioTag(fromHex('2f 00'))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('MP3') }),
    );
  });
  it.each(['', '17', '17 01 0000', '91 6176', '97 ff', '17 03 000000'])('video %s is MALFORMED', (bytes) => {
    expect(() => decodeVideoTag(fromHex(bytes))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});

describe('FLV file', () => {
  const file = fromHex(
    '464c56 01 05 00000009 00000000' + // header, size of no tag
      '08 000003 000015 00 000000 af01aa 0000000e' +
      '09 000002 ffffff 01 000000 1702 0000000d' + // timestamp 0x01ffffff: its upper byte comes last
      '0b 000001 000000 00 000000 00 0000000c', // an unknown kind
  );
  const tags = [
    { type: 'audio', timestamp: 21, body: fromHex('af01aa') },
    { type: 'video', timestamp: 0x1ffffff, body: fromHex('1702') },
  ];
  it.each([1, 5, 1000])('is read in steps of %i bytes', (step) => {
    const reader = new FlvReader();
    const found = [];
    for (let at = 0; at < file.length; at += step) found.push(...reader.push(file.subarray(at, at + step)));
    expect(found).toEqual(tags);
  });
  it('is refused when it is none, or its sizes disagree', () => {
    expect(() => new FlvReader().push(fromHex('000000206674797069736f6d'))).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
    const torn = file.slice();
    torn[30] = 0xff;
    expect(() => new FlvReader().push(torn)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});
