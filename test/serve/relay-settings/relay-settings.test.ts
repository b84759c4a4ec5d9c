import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { showPattern } from '../../../src/access/relay-token/paths.ts';
import type { StreamsError } from '../../../src/core/errors.ts';
import { nearest } from '../../../src/core/nearest.ts';
import { relaySettings } from '../../../src/serve/relay-settings/relay-settings.ts';
import { repoRoot } from '../../helpers/streams-cli.ts';

const read = (text: string, flags = {}) => relaySettings({ text, name: 'relay.toml' }, flags);
const refusal = (text: string, flags = {}): StreamsError => {
  try {
    read(text, flags);
  } catch (error) {
    return error as StreamsError;
  }
  throw new RangeError('it was read');
};
const open = '[auth]\npublic = ""\n';

describe('relay.toml', () => {
  it('of the repository is read', () => {
    const text = readFileSync(join(repoRoot, 'relay.example.toml'), 'utf8');
    expect(read(text)).toMatchObject({
      listen: { host: '127.0.0.1', port: 4443 },
      http: { host: '127.0.0.1', port: 4443 },
      internal: null,
      certificateHosts: ['localhost'],
      limits: { cacheBytes: 128 << 20, cacheAgeMs: 5000 },
      logLevel: 'info',
      drainMs: 10_000,
      ignored: [],
    });
    // What is commented out is right as well, in the place of what excludes it.
    const uncommented = text
      .replaceAll(/^(tls\.generate|public) = .*$/gm, '')
      .replaceAll(/^# (\[|(?!key_dir|url)[a-z_.]+ = )/gm, '$1');
    expect(read(uncommented)).toMatchObject({
      versions: ['moqt-18'],
      tls: { certificateFile: 'cert.pem' },
      https: { port: 443 },
      internal: { port: 9101 },
      keys: { file: 'root.jwk' },
      drainTo: 'https://other.example.com:4443',
    });
  });

  it('is read in both generations of its keys', () => {
    const older = read(`
      [server]
      listen = "[::]:443"
      version = ["moq-transport-18"]
      tls.cert = ["cert.pem"]
      tls.key = ["key.pem"]
      [web.http]
      listen = "0.0.0.0:80"
      [auth]
      key = "root.jwk"
      public = "anon"
      [log]
      level = "TRACE"
    `);
    const newer = read(`
      [listen]
      bind = "[::]:443"
      version = "moqt-18"
      [listen.tls]
      cert = "cert.pem"
      key = "key.pem"
      [web.http]
      bind = "0.0.0.0:80"
      [auth]
      key = "root.jwk"
      public = "anon/**"
      [log]
      level = "debug"
    `);
    expect(newer).toEqual(older);
    expect(older).toMatchObject({
      listen: { host: '::', port: 443 },
      http: { host: '0.0.0.0', port: 80 },
      versions: ['moqt-18'],
      tls: { certificateFile: 'cert.pem', keyFile: 'key.pem' },
      keys: { file: 'root.jwk' },
      logLevel: 'debug',
    });
    expect(older.anonymous.publish.map(showPattern)).toEqual(['anon/**']);
  });

  it('of the two demos of moq-relay needs no change where nothing is lost, and says what has no effect', () => {
    const settings = read(`
      [log]
      level = "debug"
      [server]
      listen = "[::]:4443"
      tls.generate = ["localhost"]
      [web.http]
      listen = "[::]:4443"
      [auth]
      public = ""
      [stats]
      enabled = true
      node = "local/host"
      [iroh]
      enabled = false
      secret = "./iroh-secret.key"
    `);
    expect(settings.ignored).toEqual(['stats.enabled', 'stats.node', 'iroh.enabled', 'iroh.secret']);
    expect(settings.anonymous.subscribe.map(showPattern)).toEqual(['**']);
  });

  it('has public paths for each right, and HTTPS', () => {
    const settings = read(`
      [web.https]
      listen = "0.0.0.0:443"
      cert = "cert.pem"
      key = "key.pem"
      [internal]
      listen = "127.0.0.1:9101"
      [auth]
      key_dir = "/etc/keys"
      [auth.public]
      subscribe = ["anon", "demo"]
      publish = "demo/viewer"
    `);
    expect(settings.anonymous.subscribe.map(showPattern)).toEqual(['anon/**', 'demo/**']);
    expect(settings.anonymous.publish.map(showPattern)).toEqual(['demo/viewer/**']);
    expect(settings).toMatchObject({
      http: null,
      https: { port: 443, tls: { certificateFile: 'cert.pem', keyFile: 'key.pem' } },
      internal: { host: '127.0.0.1', port: 9101 },
      keys: { folder: '/etc/keys' },
    });
  });

  it('gives way to flags', () => {
    const text = `[listen]\nbind = "[::]:1"\ntls.cert = "a"\ntls.key = "b"\n[auth.public]\npublish = ["x"]`;
    const flags = { listen: 'localhost:0', tlsGenerate: ['a.example'], authPublic: ['demo'], authKey: 'k.jwk' };
    const settings = read(text, flags);
    expect(settings).toMatchObject({ listen: { host: 'localhost', port: 0 }, certificateHosts: ['a.example'] });
    expect(settings.tls).toBeUndefined();
    expect(read('[listen]\nversion = ["moqt-18"]', { ...flags, versions: ['moqt-16'] }).versions).toEqual(['moqt-16']);
    expect(settings.keys).toEqual({ file: 'k.jwk' });
    expect(settings.anonymous.publish.map(showPattern)).toEqual(['demo/**']);
    expect(refusal('', { listen: 'x', authPublic: [''] }).message).toBe('--listen: "x" is not an address');
    expect(relaySettings(undefined, { authPublic: [''] }).listen.port).toBe(4443);
    expect(relaySettings(undefined, { authPublic: [''], maxSessions: 7 }).limits).toEqual({ maxSessions: 7 });
    const reno = { congestionControl: 'newreno' } as const;
    expect(read('congestion_control = "bbr"\n[auth]\npublic = ""').congestionControl).toBe('bbr');
    expect(read('congestion_control = "bbr"\n[auth]\npublic = ""', reno).congestionControl).toBe('newreno');
  });

  it.each([
    [
      '[server]\nlisen = "x"',
      'CONFIG_INVALID',
      'relay.toml: there is no key server.lisen',
      'did you mean server.listen?',
    ],
    ['[auth]\npubic = ""', 'CONFIG_INVALID', 'auth.pubic', 'did you mean auth.public?'],
    ['[listn]\nbind = "x"', 'CONFIG_INVALID', 'listn.bind', 'did you mean listen.bind?'],
    ['[auth]\nwhatsoever_it_may_be = 1', 'CONFIG_INVALID', 'auth.whatsoever', 'known: auth.key, auth.key_dir'],
    ['[toString]\nx = 1', 'CONFIG_INVALID', 'toString.x', 'known: listen'],
    ['[cluster]\nconnect_api = "https://a/"', 'UNSUPPORTED', 'cluster.connect_api', 'remove'],
    ['[cluster]\nconect = "https://a/"', 'CONFIG_INVALID', 'cluster.conect', 'did you mean cluster.connect?'],
    ['[cluster]\ntoken = "a.jwt"', 'CONFIG_INVALID', 'cluster.token: is of no use', undefined],
    ['[cluster]\nmesh = true', 'CONFIG_INVALID', 'cluster.mesh: needs cluster.node', undefined],
    ['[cluster]\nmesh = "a:1"\nnode = "b:1"', 'CONFIG_INVALID', 'cluster.mesh: cluster.node says', undefined],
    ['[cluster]\nconnect = ["http://a/"]', 'CONFIG_INVALID', 'cluster.connect: is not the URL of a relay', 'https://'],
    ['[cluster]\nconnect = [{ urll = "a" }]', 'CONFIG_INVALID', 'cluster.connect: a peer has no urll', 'url, token'],
    ['[cluster]\nconnect = ["https://a/?cost=-1"]', 'CONFIG_INVALID', 'cluster.connect: the cost of a link', undefined],
    ['[cluster]\nconnect = [{ url = "a", cost = 1.5 }]', 'CONFIG_INVALID', 'cluster.connect: the cost of', undefined],
    [
      '[cluster]\nconnect = [{ url = "a", cost = 1, egress = 2 }]',
      'CONFIG_INVALID',
      'cluster.connect: egress',
      undefined,
    ],
    ['[listen]\ntimeout = "0s"\n[auth]\npublic = ""', 'CONFIG_INVALID', 'listen.timeout: cannot be 0', '10s'],
    [
      'congestion_control = "reno"\n[auth]\npublic = ""',
      'CONFIG_INVALID',
      'congestion_control: there is no "reno"',
      'bbr',
    ],
    ['drain_to = "other"\n[auth]\npublic = ""', 'CONFIG_INVALID', 'drain_to: "other" is not the URL', 'https://'],
    ['[cluster]\nnode = "a:1"\nid = 0', 'CONFIG_INVALID', 'cluster.id: is not a whole number', undefined],
    ['[server]\ntls.root = ["ca.pem"]', 'UNSUPPORTED', 'server.tls.root: client certificates', 'remove'],
    ['[auth]\nurl = "https://a/"\npublic = ""', 'CONFIG_INVALID', 'auth.url: the auth server decides alone', undefined],
    ['[auth]\nauth_api = "http://127.0.0.1:4440/"', 'UNSUPPORTED', 'auth.auth_api', 'remove'],
    ['[server.tcp]\nbind = "127.0.0.1:1"', 'UNSUPPORTED', 'server.tcp.bind', 'remove'],
    [
      '[server]\nlisten = "127.0.0.1:1"\n[listen]\nbind = "127.0.0.1:2"',
      'CONFIG_INVALID',
      'server.listen and listen.bind are the same',
      'newer',
    ],
    [
      '[listen]\nbind = "127.0.0.1:99999"',
      'CONFIG_INVALID',
      'listen.bind: "127.0.0.1:99999" is not an address',
      '"127.0.0.1:4443"',
    ],
    ['[listen]\nbind = 4443', 'CONFIG_INVALID', 'listen.bind: is not a string', undefined],
    ['[listen.tls]\ncert = "a"', 'CONFIG_INVALID', 'listen.tls.cert: certificate and key go together', undefined],
    ['[log]\nlevel = "loud"', 'CONFIG_INVALID', 'log.level: "loud"', 'debug | info | warn | error'],
    ['[cache]\ncapacity = "75%"', 'CONFIG_INVALID', 'cache.capacity', '8GiB'],
    ['[auth]\nkey = "a"\nkey_dir = "b"', 'CONFIG_INVALID', 'auth.key_dir: not together with auth.key', undefined],
    ['[web.https]\nlisten = "[::]:443"', 'CONFIG_INVALID', 'web.https.listen: needs web.https.cert', undefined],
    ['[auth]\npublic = "a*"', 'CONFIG_INVALID', 'auth.public: in "a*"', undefined],
    ['= 7', 'CONFIG_INVALID', 'relay.toml line 1', undefined],
  ])('%j is refused in words', (text, code, message, hint) => {
    const error = refusal(text.includes('[auth]') ? text : `${text}\n${open}`);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    if (hint !== undefined) expect(error.hint).toContain(hint);
  });

  it('that nobody could use is refused', () => {
    expect(refusal('')).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('nobody could use') });
  });

  it('with a mistake is not quoted: it may hold a secret', () => {
    const error = refusal('[cluster]\nconnect = ["https://a/?jwt=SECRET]\n');
    expect(error.code).toBe('CONFIG_INVALID');
    expect(JSON.stringify([error.message, error.hint])).not.toContain('SECRET');
  });

  it('does not take off for something that is not asked for', () => {
    expect(read(`${open}[cluster]\nmesh = false\nconnect = []`).ignored).toEqual([]);
  });
});

it('the nearest word is one that could have been meant', () => {
  expect(nearest('lisen', ['listen', 'bind'])).toBe('listen');
  expect(nearest('xxxxxx', ['listen', 'bind'])).toBeUndefined();
});
