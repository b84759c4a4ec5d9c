import { describe, expect, it } from 'vitest';
import { readTrackProperties } from '../../../src/codec/moqt/fields/track-properties.ts';
import { vi64 } from '../../../src/codec/moqt/varint.ts';
import { fromHex } from '../../../src/core/bytes.ts';

const read = (bytes: string) => readTrackProperties(vi64, fromHex(bytes));

describe('track properties', () => {
  it.each([
    ['0e00', { defaultPriority: 0 }],
    ['0e80ff', { defaultPriority: 255 }],
    ['2202', { defaultGroupOrder: 'descending' }],
    ['3001', { dynamicGroups: true }],
    ['020a0409', { objectTimeoutMs: 10, subgroupTimeoutMs: 9 }],
    ['', { defaultPriority: 128, defaultGroupOrder: 'ascending', dynamicGroups: false, mandatory: undefined }],
  ])('%s', (bytes, expected) => {
    expect(read(bytes)).toMatchObject(expected);
  });

  it.each([
    ['0e8100', 'a priority above 255 (draft-18 12.4)'],
    ['2200', 'a group order that is none (12.5)'],
    ['2203', 'a group order that is none (12.5)'],
    ['3002', 'dynamic groups of 2 (12.6)'],
    ['0e', 'a pair cut short'],
    ['0b0501', 'bytes cut short'],
  ])('%s, %s, is a protocol violation', (bytes) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ sessionCode: 0x3 }));
  });
});
