import { describe, expect, it } from 'vitest';
import { parseVersions } from '../../src/serve/config.ts';

describe('--versions', () => {
  it('may be repeated, or a comma list, and keeps the order', () => {
    expect(parseVersions(['moqt-16, moqt-18'])).toEqual(['moqt-16', 'moqt-18']);
    expect(parseVersions(['moqt-16', 'moqt-18'])).toEqual(['moqt-16', 'moqt-18']);
  });

  it('names the nearest one', () => {
    expect(() => parseVersions(['mopt-18'])).toThrow('did you mean moqt-18?');
  });

  it.each(['', '18', 'moqt-99', 'moqt-18,'])('refuses %j, and says which there are', (text) => {
    expect(() => parseVersions([text])).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        hint: expect.stringMatching(/^--versions moqt-18,.*moq-lite-05,moq-lite-04$/),
      }),
    );
  });
});
