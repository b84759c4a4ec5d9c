import { describe, expect, it } from 'vitest';
import { applicationProtocol, chooseSubprotocol, offeredSubprotocols } from '../../../src/codec/qmux/subprotocol.ts';

describe('QMux subprotocols', () => {
  it('offers each version with each draft of QMux', () => {
    expect(offeredSubprotocols(['moqt-18', 'moqt-16'])).toEqual([
      'qmux-02.moqt-18',
      'qmux-01.moqt-18',
      'moqt-18',
      'qmux-02.moqt-16',
      'qmux-01.moqt-16',
      'moqt-16',
    ]);
  });

  it('chooses by the order of the client, and the newest QMux', () => {
    // As @moq/net 0.3.4 offers it.
    const offered = [
      'qmux-02.moq-lite-05',
      'qmux-01.moq-lite-05',
      'qmux-01.moqt-18',
      'qmux-02.moqt-16',
      'qmux-01',
      'webtransport',
    ];
    expect(chooseSubprotocol(offered, ['moqt-16', 'moqt-18'])).toBe('qmux-01.moqt-18');
    expect(chooseSubprotocol(offered, ['moqt-18', 'moq-lite-05'])).toBe('qmux-02.moq-lite-05');
    expect(chooseSubprotocol([...offered].reverse(), ['moq-lite-05'])).toBe('qmux-02.moq-lite-05');
    expect(chooseSubprotocol(['moqt-18'], ['moqt-18'])).toBe('moqt-18');
    expect(chooseSubprotocol(['qmux-01', 'webtransport', 'qmux-00.moqt-18', ''], ['moqt-18'])).toBeUndefined();
  });

  it('takes QMux alone for draft-14, if nothing better is there', () => {
    const alone = ['qmux-01', 'qmux-00', 'webtransport'];
    expect(chooseSubprotocol(alone, ['moqt-18', 'moq-00'])).toBe('qmux-01');
    expect(chooseSubprotocol([...alone, 'moqt-18'], ['moqt-18', 'moq-00'])).toBe('moqt-18');
  });

  it('names the version without the draft', () => {
    expect(['qmux-02.moqt-18', 'qmux-01.moqt-18', 'moqt-18', 'qmux-01', ''].map(applicationProtocol)).toEqual([
      'moqt-18',
      'moqt-18',
      'moqt-18',
      '',
      '',
    ]);
  });
});
