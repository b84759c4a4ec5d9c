import { describe, expect, it } from 'vitest';
import {
  carriesCredential,
  formatSessionPath,
  parseSessionPath,
  type SessionPath,
} from '../../src/contract/session-path.ts';

describe('the path of a session', () => {
  it.each<[path: string, SessionPath]>([
    ['/publish/lv_1?sk=sk_live_a', { kind: 'publish', id: 'lv_1', streamKey: 'sk_live_a' }],
    ['/publish/lv_1?engine=p', { kind: 'publish', id: 'lv_1', engineProof: 'p' }],
    ['/publish/lv_1?sk=a%26b%3D&engine=p', { kind: 'publish', id: 'lv_1', streamKey: 'a&b=', engineProof: 'p' }],
    ['/playback/pb_1', { kind: 'playback', id: 'pb_1' }],
    ['/playback/pb_1?tok=e.y.J', { kind: 'playback', id: 'pb_1', token: 'e.y.J' }],
    ['/ingest?sk=proof', { kind: 'ingest', engineProof: 'proof' }],
  ])('%s is read and written alike', (path, asked) => {
    expect(parseSessionPath(path)).toEqual(asked);
    expect(formatSessionPath(asked)).toBe(path);
  });

  it('counts an empty credential as none', () => {
    expect(parseSessionPath('/publish/lv_1?sk=&engine=')).toEqual({ kind: 'publish', id: 'lv_1' });
    expect(parseSessionPath('/playback/lv_1?tok=')).toEqual({ kind: 'playback', id: 'lv_1' });
    expect(parseSessionPath('/ingest?sk=')).toEqual({ kind: 'ingest' });
  });

  it('says when a playback token stands where a stream key belongs', () => {
    expect(parseSessionPath('/publish/lv_1?tok=x')).toEqual({ kind: 'publish', id: 'lv_1', playbackToken: true });
  });

  it.each([
    '',
    '/',
    'publish/lv_1',
    '/publish',
    '/publish/',
    '/publish/lv_1/',
    '/publish/lv_1/more',
    '/publish/..%2f',
    '/publish/lv 1',
    `/publish/${'x'.repeat(129)}`,
    '/ingest/lv_1',
    '/other/lv_1?tok=x',
    '//publish/lv_1',
    `/playback/lv_1?tok=${'x'.repeat(20_000)}`,
  ])('%# is none of ours', (path) => {
    expect(parseSessionPath(path)).toBeUndefined();
  });

  it('carries a credential by three names, also an empty one', () => {
    for (const query of ['tok=a', 'jwt=a', 'sk=a', 'x=1&tok=', 'jwt='])
      expect(carriesCredential(`/any/where?${query}`), query).toBe(true);
    for (const path of ['/tok=a', '/a?mytok=a', '/a?x=tok', '/a']) expect(carriesCredential(path), path).toBe(false);
  });
});
