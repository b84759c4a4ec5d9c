import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pool } from 'undici';
import { ForwardedAddress } from '../../access/forwarded-address.ts';
import { addressGroup } from '../../access/trusted-proxies.ts';
import { StreamsError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { errorResponse } from '../api/http-error.ts';
import { discardBody } from '../listen/request-body.ts';
import { passOn } from './pass-on.ts';

export type EngineProxyOptions = {
  /** `http://host:port` of the engine, as far as it is known now. */
  readonly engineUrl: () => string | undefined;
  /** Shared with the engine: it believes the address of who asks only with a proof. */
  readonly serviceToken: string;
  readonly logger: Logger;
  /** Requests of one address at once; default 1024. */
  readonly maxPerAddress?: number;
  /** A request of which nothing moves for so long is given up, milliseconds; default two minutes. */
  readonly idleMs?: number;
};

type Asked = { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse; readonly remoteAddress: string };

/** What the media engine answers under the address of this server. */
const prefixes = ['/hls/', '/ingest/', '/whip/', '/vod/', '/uploads'];
/** Fewer than the engine takes. */
const maxConnections = 4000;

/** Passes requests on to the media engine, both bodies as they come: nothing is held here. */
export class EngineProxy {
  readonly #options: EngineProxyOptions;
  readonly #forwarded: ForwardedAddress;
  readonly #underWay = new Map<string, number>();
  #pool: { readonly url: string; readonly connections: Promise<Pool> } | undefined;

  constructor(options: EngineProxyOptions) {
    this.#options = options;
    this.#forwarded = new ForwardedAddress(options.serviceToken);
  }

  /** false: the request is none of the engine's. `remoteAddress`: whose it is. */
  take(incoming: IncomingMessage, outgoing: ServerResponse, remoteAddress: string): boolean {
    const path = incoming.url ?? '';
    if (!prefixes.some((prefix) => path.startsWith(prefix))) return false;
    const engineUrl = this.#options.engineUrl();
    const group = addressGroup(remoteAddress);
    const { maxPerAddress = 1024 } = this.#options;
    const asked = { incoming, outgoing, remoteAddress };
    if (engineUrl === undefined) refuse(asked, unreachable);
    else if ((this.#underWay.get(group) ?? 0) >= maxPerAddress) refuse(asked, crowded);
    else void this.#pass(engineUrl, group, asked);
    return true;
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool?.connections)?.destroy();
  }

  async #pass(origin: string, group: string, asked: Asked): Promise<void> {
    const { incoming, outgoing, remoteAddress } = asked;
    this.#underWay.set(group, (this.#underWay.get(group) ?? 0) + 1);
    const over = () => {
      const left = (this.#underWay.get(group) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(group);
      else this.#underWay.set(group, left);
    };
    let dispatcher: Pool;
    try {
      dispatcher = await this.#connections(origin);
    } catch (error) {
      over();
      this.#options.logger.error('requests cannot be passed on', { reason: (error as Error).message });
      refuse(asked, unreachable);
      return;
    }
    passOn({
      dispatcher,
      origin,
      incoming,
      outgoing,
      headers: this.#forwarded.headers(remoteAddress),
      over,
      idleMs: this.#options.idleMs,
      failed: (why, reason) => {
        if (why === 'invalid') return refuse(asked, malformed);
        this.#options.logger.warn('the media engine cannot be reached', { reason });
        refuse(asked, unreachable);
      },
    });
  }

  /** An engine that is started again has another address. Loading the client takes a tenth of a second: at the first use. */
  #connections(url: string): Promise<Pool> {
    if (this.#pool?.url === url) return this.#pool.connections;
    const old = this.#pool;
    const connections = import('undici').then(
      ({ Pool }) =>
        new Pool(url, {
          connections: maxConnections,
          pipelining: 1,
          headersTimeout: 0,
          bodyTimeout: 0,
          allowH2: false,
        }),
    );
    this.#pool = { url, connections };
    void old?.connections.then((pool) => pool.close()).catch(() => undefined);
    return connections;
  }
}

const unreachable = new StreamsError('API_UNREACHABLE', 'the media engine does not answer');
const crowded = new StreamsError('RATE_LIMITED', 'too many requests of this address are under way');
const malformed = new StreamsError('MALFORMED', 'the request cannot be passed on to the media engine');

function refuse({ incoming, outgoing }: Asked, error: StreamsError): void {
  discardBody(incoming);
  if (outgoing.headersSent || outgoing.destroyed) return;
  const response = errorResponse(error, newId('req'));
  const headers = { ...Object.fromEntries(response.headers), 'access-control-allow-origin': '*' };
  outgoing.writeHead(response.status, {
    ...headers,
    ...(response.status !== 400 && { 'retry-after': '1' }),
    'cache-control': 'no-store',
  });
  void response.text().then((body) => outgoing.end(body));
}
