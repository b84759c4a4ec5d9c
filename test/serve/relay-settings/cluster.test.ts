import { describe, expect, it } from 'vitest';
import { relaySettings } from '../../../src/serve/relay-settings/relay-settings.ts';

const read = (cluster: string, more = '') =>
  relaySettings({ text: `[auth]\npublic = ""\n[cluster]\n${cluster}\n${more}`, name: 'relay.toml' }).cluster;

const rest = { authorityFiles: [], insecure: false };

describe('[cluster]', () => {
  it.each([
    ['', undefined],
    ['connect = []\nmesh = false', undefined],
    // The first generation: one root, of which `connect` is the older name.
    [
      'root = "root.example:4443"\nnode = "leaf.example:4443"\ntoken = "cluster.jwt"',
      {
        connect: ['https://root.example:4443/'],
        node: 'https://leaf.example:4443',
        discover: true,
        token: { file: 'cluster.jwt' },
        ...rest,
      },
    ],
    [
      'connect = "root.example:4443"\nadvertise = "leaf.example:4443"',
      { connect: ['https://root.example:4443/'], node: 'https://leaf.example:4443', discover: true, ...rest },
    ],
    ['node = "root.example"', { connect: [], node: 'https://root.example', discover: true, ...rest }],
    // Later ones: a list of URLs, and gossip by a word of its own.
    [
      'connect = ["https://a.example/?jwt=abc", "moqt://b.example:4443/"]',
      { connect: ['https://a.example/?jwt=abc', 'moqt://b.example:4443/'], discover: false, ...rest },
    ],
    [
      'connect = "https://a.example/"\nnode = "https://b.example/"\nmesh = false',
      { connect: ['https://a.example/'], node: 'https://b.example', discover: false, ...rest },
    ],
    ['mesh = "b.example:1"', { connect: [], node: 'https://b.example:1', discover: true, ...rest }],
    [
      'connect = [{ url = "https://a.example/", token = "t", cost = 3, egress = 3 }, "https://b.example/?cost=0"]\nid = 12345\ntoken = "eyJhbGciOiJ.eyJyb290.c2ln"',
      {
        connect: ['https://a.example/?cost=3&jwt=t', 'https://b.example/?cost=0'],
        discover: false,
        id: 12345n,
        token: { text: 'eyJhbGciOiJ.eyJyb290.c2ln' },
        ...rest,
      },
    ],
  ])('%j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    '[connect]\ntls.root = ["ca.pem"]\ntls.insecure = true',
    '[client]\ntls.root = "ca.pem"\ntls.disable_verify = true',
  ])('trusts as %j says', (tls) => {
    expect(read('node = "a"', tls)).toMatchObject({ authorityFiles: ['ca.pem'], insecure: true });
  });
});
