import { describe, expect, it } from 'vitest';
import { checkPlaybackUrl } from '../../commands/watch/broadcast.ts';

describe('the URL of streams watch', () => {
  it.each(['https://127.0.0.1:4443', 'http://127.0.0.1:4443', 'ws://127.0.0.1:4443', 'wss://relay.example'])(
    'may begin with %s',
    (origin) => {
      expect(() => checkPlaybackUrl(`${origin}/playback/lv_1?tok=x`)).not.toThrow();
    },
  );

  it.each(['lv_1', 'ftp://relay.example/?tok=secret', 'wsx://relay.example/?tok=secret'])('is not %s', (url) => {
    const refused = () => checkPlaybackUrl(url);
    expect(refused).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('secret') }));
  });
});
