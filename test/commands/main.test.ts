import { describe, expect, it } from 'vitest';
import { errorCodesOf, exitCodeOf, exitCodes } from '../../commands/exit-codes.ts';
import { errorCodes } from '../../src/core/errors.ts';
import { commandLine } from './command-line.ts';

describe('exit codes', () => {
  it('are those scripts rely on', () => {
    expect(exitCodeOf('USAGE')).toBe(2);
    expect(exitCodeOf('TOKEN_EXPIRED')).toBe(3);
    expect(exitCodeOf('UNAUTHORIZED')).toBe(3);
    expect(exitCodeOf('API_UNREACHABLE')).toBe(4);
    expect(exitCodeOf('NOT_FOUND')).toBe(5);
    expect(exitCodeOf('CONFLICT')).toBe(5);
    expect(exitCodeOf('TIMEOUT')).toBe(124);
    expect(exitCodeOf('INTERRUPTED')).toBe(130);
    expect(exitCodeOf('NO_MEDIA')).toBe(1);
  });

  it('cover every error code once', () => {
    const listed = Object.keys(exitCodes).flatMap((code) => errorCodesOf(Number(code) as keyof typeof exitCodes));
    expect(listed.sort()).toEqual([...errorCodes].sort());
  });

  it('are listed by `help exit-codes`', async () => {
    const human = await commandLine(['help', 'exit-codes']);
    expect(human.code).toBe(0);
    expect(human.stdout).toMatch(/^124 +timeout/m);
    const json = await commandLine(['help', 'exit-codes', '--json']);
    expect(json.lines()[0]).toMatchObject({ version: 1, type: 'exit-codes' });
  });
});

describe('the command line', () => {
  it('prints its version and help on stdout', async () => {
    expect(await commandLine(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n', stderr: '' });
    for (const argv of [[], ['--help'], ['help']]) {
      const result = await commandLine(argv);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      expect(result.stdout).toMatch(/inputs .*Live inputs/);
    }
  });

  it('explains a command with examples first, and with the global options', async () => {
    for (const argv of [
      ['inputs', 'create', '--help'],
      ['help', 'inputs', 'create'],
    ]) {
      const { code, stdout } = await commandLine(argv);
      expect(code).toBe(0);
      expect(stdout).toContain('streams inputs create');
      expect(stdout).toContain('--ingest <protocol>');
      expect(stdout).toContain('--api-url');
    }
    expect((await commandLine(['inputs', 'create', '--help'])).stdout).toMatch(/^Examples:/);
  });

  it.each([
    [['inptus'], 'unknown command', 'inputs'],
    [['inputs', 'crate'], 'unknown command', 'create'],
    [['inputs', 'list', '--jsno'], 'unknown option', '--json'],
    [['inputs', 'get'], 'missing required argument', 'streams inputs get --help'],
    [['--api-url', 'http://a', 'inputs', 'get'], 'missing required argument', 'streams inputs get --help'],
    [['inputs', 'get', 'a', 'b'], 'too many arguments', 'streams inputs get --help'],
    [['inputs', 'create', '--ingest', 'smoke'], 'cannot be "smoke"', '--ingest rtmp'],
    [['playback', 'mint', 'lv_1', '--ttl', 'soon'], 'not a duration', '1h'],
    [['playback', 'mint'], 'a token needs an input', 'streams playback mint <lv_…> --ttl 1h'],
    [['serve', '--http-port', '70000'], 'not a port', '65535'],
    [['serve', '--only', 'kitchen'], 'no process "kitchen"', '--only control'],
    [['help', 'nothing'], 'no help on', 'streams --help'],
    [['help', 'inptus'], 'no help on', 'streams help inputs'],
    [['help', 'inputs', 'crate'], 'no help on', 'streams help inputs create'],
  ])('%j is a usage error that says what to type', async (argv, message, hint) => {
    const human = await commandLine(argv);
    expect(human).toMatchObject({ code: 2, stdout: '' });
    expect(human.stderr).toMatch(/^✖ .* \[USAGE\]\nTry: /);
    expect(human.stderr).toContain(message);
    expect(human.stderr.split('Try: ')[1]).toContain(hint);

    const json = await commandLine([...argv, '--json']);
    expect(json).toMatchObject({ code: 2, stdout: '' });
    expect(JSON.parse(json.stderr)).toMatchObject({ version: 1, type: 'error', error: { code: 'USAGE' } });
  });

  it('does not take --json for itself after --', async () => {
    expect((await commandLine(['inputs', 'get', '--', '--json', 'x'])).stderr).toMatch(/^✖/);
  });
});
