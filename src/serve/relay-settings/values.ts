import { StreamsError } from '../../core/errors.ts';
import { type CongestionControl, congestionControls } from '../../transport/quic/native-types.ts';
import { parseRelayUrl } from '../../transport/relay-url.ts';
import type { Written } from './read-toml.ts';

/** Readers of single values. All throw CONFIG_INVALID that names the key. */

export function text({ key, value }: Written): string {
  if (typeof value !== 'string') throw wrong(key, 'is not a string');
  return value;
}

/** A string, or a list of them. */
export function texts({ key, value }: Written): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((each) => typeof each === 'string')) throw wrong(key, 'is not a string, nor a list of them');
  return list;
}

/** Where a list is allowed and we take one: certificate and key files. */
export function oneText(written: Written): string {
  const [first, ...more] = texts(written);
  if (first === undefined || more.length > 0) throw wrong(written.key, 'must be one file');
  return first;
}

/** `127.0.0.1:4443`, `[::]:4443`, `localhost:4443`. */
export function address(written: Written): { host: string; port: number } {
  const given = text(written);
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/\s]*)):(\d{1,5})$/i.exec(given) ?? [];
  const port = Number(digits);
  const host = bracketed ?? plain;
  if (host === undefined || port > 65_535) {
    throw wrong(written.key, `"${given}" is not an address`, '"127.0.0.1:4443" or "[::]:4443"');
  }
  return { host: host === '' ? '0.0.0.0' : host, port };
}

/** The URL of a relay, as it goes into GOAWAY. */
export function relayUrl(written: Written): string {
  const given = text(written);
  try {
    parseRelayUrl(given);
  } catch {
    throw wrong(written.key, `"${given}" is not the URL of a relay`, '"https://relay.example.com:4443"');
  }
  return given;
}

export function congestionControl(written: Written): CongestionControl {
  const given = text(written);
  const known = congestionControls.find((name) => name === given);
  if (known === undefined) throw wrong(written.key, `there is no "${given}"`, congestionControls.join(' | '));
  return known;
}

const units = new Map([
  ['', 1],
  ['b', 1],
  ...['k', 'm', 'g', 't'].flatMap((letter, i): [string, number][] => [
    [letter, 1000 ** (i + 1)],
    [`${letter}b`, 1000 ** (i + 1)],
    [`${letter}ib`, 1024 ** (i + 1)],
  ]),
]);

/** `8GiB`, `512MB`, `1000`. */
export function bytes(written: Written): number {
  const given = typeof written.value === 'number' ? String(written.value) : text(written);
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(given.trim()) ?? [];
  const factor = units.get(unit.toLowerCase());
  if (amount === undefined || factor === undefined) {
    throw wrong(written.key, `"${given}" is not a number of bytes`, '"512MB" or "8GiB"');
  }
  return Math.floor(Number(amount) * factor);
}

const times = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
]);

/** `500ms`, `30s`, `5m`, in milliseconds. */
export function milliseconds(written: Written): number {
  const given = text(written);
  if (given === '0') return 0;
  const [, amount, unit = ''] = /^(\d+)\s*(ms|s|m|min|h)$/.exec(given.trim()) ?? [];
  const factor = times.get(unit);
  if (amount === undefined || factor === undefined) {
    throw wrong(written.key, `"${given}" is not a time`, '"30s" or "500ms"');
  }
  return Number(amount) * factor;
}

export function wrong(key: string, problem: string, hint?: string): StreamsError {
  return new StreamsError('CONFIG_INVALID', `${key}: ${problem}`, hint === undefined ? {} : { hint });
}
