import { describe, expect, it } from 'vitest';
import { createOutput } from '../../commands/output/create-output.ts';
import { memoryTerminal } from '../../commands/output/memory.ts';
import { fitColumns } from '../../commands/output/table.ts';
import { StreamsError } from '../../src/core/errors.ts';

const error = new StreamsError('RELAY_UNREACHABLE', "can't reach the relay", { hint: 'streams serve' });

describe('output for people', () => {
  it('has data on stdout and talk on stderr', async () => {
    const terminal = memoryTerminal();
    const output = createOutput(terminal, { json: false });
    await output.result({
      json: { type: 'thing' },
      blocks: [
        {
          kind: 'fields',
          rows: [
            ['A', '1'],
            ['Long', '2'],
          ],
        },
        { kind: 'text', text: 'words' },
        { kind: 'table', columns: ['a'], rows: [], empty: 'none' },
      ],
    });
    output.note('note');
    output.warn('careful');
    output.next(['streams serve']);
    output.event({ json: { type: 'x' }, line: 'talk' });
    output.event({ json: { type: 'x' } });
    output.event({ json: { type: 'x' }, line: 'data', data: true });
    expect(terminal.stdout).toBe('A     1\nLong  2\nwords\ndata\n');
    expect(terminal.stderr).toBe('none\nnote\n! careful\n\nNext:\n  streams serve\ntalk\n');
  });

  it('shows nothing that a terminal obeys, whoever wrote it', async () => {
    const evil = 'a\x1b]0;title\x07\x1b[2Jb\rc\x9b31md\x7f\u202ee\0';
    const orders = /[^\P{C}\n\u00ad\u200b-\u200f]/u;
    const terminal = memoryTerminal();
    const output = createOutput(terminal, { json: false });
    await output.result({
      json: { type: 'thing' },
      blocks: [
        { kind: 'fields', rows: [[evil, evil]] },
        { kind: 'text', text: evil },
        { kind: 'table', columns: ['a'], rows: [[evil]], empty: '' },
      ],
    });
    output.event({ json: { type: 'x' }, line: evil });
    output.event({ json: { type: 'x' }, line: evil, data: true });
    output.live({ json: { type: 'x' }, lines: [evil], line: evil });
    output.note(evil);
    output.warn(evil);
    output.progress(evil, true);
    output.next([evil]);
    output.error(new StreamsError('NOT_FOUND', evil, { hint: evil }));
    expect(terminal.stdout + terminal.stderr).toContain('a\ufffd]0;title');
    expect(terminal.stdout).not.toMatch(orders);
    expect(terminal.stderr).not.toMatch(orders);
    const json = memoryTerminal();
    createOutput(json, { json: true }).event({ json: { type: 'x', evil } });
    expect(json.stdout.replaceAll('\u202e', '')).not.toMatch(orders);
    expect(JSON.parse(json.stdout)).toEqual({ type: 'x', evil });
  });

  it('tells an error as problem, code and next command, in colour where there is colour', () => {
    const plain = memoryTerminal();
    createOutput(plain, { json: false }).error(error);
    expect(plain.stderr).toBe("✖ can't reach the relay [RELAY_UNREACHABLE]\nTry: streams serve\n");
    const colored = memoryTerminal({ tty: true, color: true });
    createOutput(colored, { json: false }).error(new StreamsError('INTERNAL', 'no hint'));
    expect(colored.stderr).toBe('\x1b[31m✖\x1b[39m no hint \x1b[2m[INTERNAL]\x1b[22m\n');
  });

  it('redraws a picture in place on a terminal, cut to its width, and prints a line elsewhere', () => {
    const tty = memoryTerminal({ tty: true, width: 10 });
    const output = createOutput(tty, { json: false });
    const picture = { json: { type: 'p' }, lines: ['one', 'a line that is too long'], line: 'short' };
    output.live(picture);
    output.live(picture);
    output.note('between');
    output.live(picture);
    const drawn = 'one\na line th…\n';
    expect(tty.stdout).toBe(`${drawn}\x1b[2A\r\x1b[J${drawn}${drawn}`);
    const pipe = memoryTerminal();
    createOutput(pipe, { json: false }).live(picture);
    expect(pipe.stdout).toBe('short\n');
  });
});

describe('output for scripts', () => {
  it('has only versioned JSON on stdout, and only errors on stderr', async () => {
    const terminal = memoryTerminal({ tty: true, color: true });
    const output = createOutput(terminal, { json: true });
    expect(output.interactive).toBe(false);
    await output.result({ json: { type: 'thing', n: 1 }, blocks: [{ kind: 'text', text: 'words' }] });
    output.event({ json: { type: 'event' }, line: 'words', data: true });
    output.live({ json: { type: 'progress' }, lines: ['words'], line: 'words' });
    output.note('words');
    output.warn('words');
    output.next(['words']);
    expect(terminal.jsonLines()).toEqual([
      { version: 1, type: 'thing', n: 1 },
      { type: 'event' },
      { type: 'progress' },
    ]);
    expect(terminal.stderr).toBe('');
    output.error(error);
    expect(JSON.parse(terminal.stderr)).toEqual({
      version: 1,
      type: 'error',
      error: { code: 'RELAY_UNREACHABLE', message: "can't reach the relay", hint: 'streams serve' },
    });
  });
});

describe('columns', () => {
  it('shrink from the widest until they fit, but not to nothing', () => {
    expect(fitColumns([10, 4], 20)).toEqual([10, 4]);
    expect(fitColumns([30, 4, 20], 44)).toEqual([18, 4, 18]);
    expect(fitColumns([30, 30], 5)).toEqual([6, 6]);
    expect(fitColumns([300], Number.POSITIVE_INFINITY)).toEqual([300]);
  });
});
