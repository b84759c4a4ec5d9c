import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  bracketed,
  type ChosenName,
  type Endpoints,
  hostOf,
  isWildcard,
  type ToldEndpoints,
  toldEndpoints,
} from '../control/addresses.ts';
import { StreamsError } from '../core/errors.ts';
import type { Child } from './children/child.ts';
import type { ProcessName } from './children/child-messages.ts';
import type { ControlConfig, ControlReady } from './children/control-child.ts';
import type { EngineConfig, EngineReady } from './children/engine-child.ts';
import type { RelayConfig, RelayReady } from './children/relay-child.ts';
import { relayEnv, relayNodeOptions } from './children/relay-memory.ts';
import { type ChildPlan, Supervisor, type SupervisorEvent } from './children/supervisor.ts';
import { checkServeOptions, type ServeOptions, urlOf } from './config.ts';
import { type Lock, lockDataDir, makeDataDir } from './data-dir.ts';
import { type DemoInput, demoInput, demoPlayback } from './demo.ts';
import { ensureLocalKey } from './local-key.ts';

export type RunningServe = {
  /** What runs here, and how others reach it. */
  urls: { http?: string; https?: string; relay?: string; rtmp?: string; rtmps?: string; srt?: string };
  /** The name in them, and where it is from. */
  addresses: ChosenName;
  /** Only when it was made in this run: it is shown once. */
  apiKey?: string;
  demo?: { inputId: string; url: string; watchUrl: string };
  /** Stops the children in order and frees the data directory. Idempotent. */
  stop(): Promise<void>;
};

export type ServeSurroundings = {
  env: NodeJS.ProcessEnv;
  onEvent(event: SupervisorEvent): void;
  /** Aborting during the start stops it; afterwards it has no effect. */
  signal: AbortSignal;
};

/**
 * Starts the processes that were asked for and keeps them running. Rejects with USAGE, CONFLICT (another serve on the data
 * directory), PORT_IN_USE, QUIC_UNAVAILABLE, CHILD_DIED, or the signal's reason.
 */
export async function startServe(options: ServeOptions, surroundings: ServeSurroundings): Promise<RunningServe> {
  checkServeOptions(options);
  const { env, onEvent, signal } = surroundings;
  await makeDataDir(options.dataDir);
  const locks: Lock[] = [];
  const stack = new Stack(options, env);
  const supervisor = new Supervisor({ plans: stack.plans(), onEvent });
  const stop = async () => {
    await supervisor.stop();
    await Promise.all(locks.map((lock) => lock.release()));
  };
  const onAbort = () => void supervisor.stop();
  try {
    for (const name of options.only) locks.push(await lockDataDir(options.dataDir, name));
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    await supervisor.start();
    signal.throwIfAborted();
    const demo = await stack.demo();
    return {
      ...(await stack.told()),
      ...(stack.newApiKey === undefined ? {} : { apiKey: stack.newApiKey }),
      ...(demo === undefined ? {} : { demo }),
      stop,
    };
  } catch (error) {
    await stop();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const storeSecrets = ['STREAMS_MASTER_KEY', 'STREAMS_DATABASE_URL'];

/** What the processes of one run tell each other, through us. */
class Stack {
  readonly #options: ServeOptions;
  readonly #env: NodeJS.ProcessEnv;
  readonly #serviceToken: string;
  #controlChild: Child | undefined;
  #control: ControlReady | undefined;
  #relay: RelayReady | undefined;
  #engine: EngineReady | undefined;
  #apiKey: string | undefined;
  #demoInput: DemoInput | undefined;
  /** Set when this run made the local API key. */
  newApiKey: string | undefined;

  constructor(options: ServeOptions, env: NodeJS.ProcessEnv) {
    this.#options = options;
    this.#env = env;
    this.#serviceToken = options.serviceToken ?? randomBytes(32).toString('hex');
  }

  plans(): ChildPlan[] {
    const all = { control: this.#controlPlan(), relay: this.#relayPlan(), engine: this.#enginePlan() };
    return this.#options.only.map((name) => all[name]);
  }

  /** What runs here, as people are told it. */
  async told(): Promise<Pick<RunningServe, 'urls' | 'addresses'>> {
    const { host, publicUrls } = this.#options;
    const told =
      this.#controlChild === undefined
        ? toldEndpoints(this.#endpoints(), { host, port: 0 })
        : ((await this.#controlChild.call('told', {})) as ToldEndpoints);
    const { publicHttpUrl, relayUrl, rtmpUrl, rtmpsUrl, srtUrl, addresses } = told;
    const secure = publicHttpUrl.startsWith('https:');
    // What is secure may be in front of us: the plain port is then for this machine.
    const plain = publicUrls?.http === undefined && isWildcard(host) ? addresses.name : host;
    return {
      addresses,
      urls: {
        ...(this.#control && { http: secure ? urlOf('http', plain, this.#control.port) : publicHttpUrl }),
        ...(this.#control && secure && { https: publicHttpUrl }),
        ...(this.#relay && { relay: relayUrl! }),
        ...(this.#engine && {
          rtmp: `${rtmpUrl!}/live`,
          ...(rtmpsUrl !== undefined && { rtmps: `${rtmpsUrl}/live` }),
          srt: srtUrl!,
        }),
      },
    };
  }

  /** A wildcard address in one stands for the name that people are told. */
  #endpoints(): Endpoints {
    const { host, publicUrls: said = {}, relayUrl } = this.#options;
    const name = said.http === undefined ? undefined : hostOf(said.http);
    const bound = host === '' ? '0.0.0.0' : host;
    const at = (scheme: string, port: number, certified?: string) =>
      `${scheme}://${bracketed(name ?? certified ?? bound)}:${port}`;
    const relay = said.relay ?? (this.#relay === undefined ? relayUrl : at('https', this.#relay.port));
    const rtmp = said.rtmp ?? (this.#engine && at('rtmp', this.#engine.rtmpPort));
    const { rtmps } = this.#engine ?? {};
    const secureRtmp = said.rtmps ?? (rtmps && at('rtmps', rtmps.port, rtmps.name));
    const srt = said.srt ?? (this.#engine && at('srt', this.#engine.srtPort));
    return {
      ...(said.http !== undefined && { publicHttpUrl: said.http }),
      ...(said.whip !== undefined && { publicWhipUrl: said.whip }),
      ...(said.fmp4 !== undefined && { publicFmp4Url: said.fmp4 }),
      ...(said.hls !== undefined && { publicHlsUrl: said.hls }),
      ...(relay !== undefined && { relayUrl: relay }),
      ...(this.#relay !== undefined && { certificateSha256: this.#relay.certificateSha256 }),
      ...(rtmp !== undefined && { rtmpUrl: rtmp }),
      ...(secureRtmp !== undefined && { rtmpsUrl: secureRtmp }),
      ...(srt !== undefined && { srtUrl: srt }),
      ...(this.#engine !== undefined && { engineUrl: this.#engine.httpUrl }),
    };
  }

  async demo(): Promise<RunningServe['demo']> {
    if (this.#demoInput === undefined) return undefined;
    const { inputId } = this.#demoInput;
    return { inputId, ...(await demoPlayback(this.#controlUrl(), this.#apiKey!, inputId)) };
  }

  /** The one that is bound: a control process that is started again keeps it. */
  #httpsPort(): number | undefined {
    const url = this.#control?.httpsUrl;
    return url === undefined ? undefined : Number(new URL(url).port || 443);
  }

  #controlUrl(): string {
    const { host, controlUrl } = this.#options;
    return this.#control === undefined ? controlUrl! : urlOf('http', host, this.#control.port);
  }

  /** At which engine and relay reach it: a listener that is theirs alone where it runs beside them. */
  #internalUrl(): string {
    return this.#control === undefined
      ? this.#options.controlUrl!
      : urlOf('http', '127.0.0.1', this.#control.internalPort);
  }

  #command(name: ProcessName) {
    const { STREAMS_API_KEY: _, STREAMS_SERVICE_TOKEN: __, ...env } = this.#env;
    // What opens the store is control's alone.
    if (name !== 'control') for (const secret of storeSecrets) delete env[secret];
    return { entry: fileURLToPath(new URL('./children/child-main.js', import.meta.url)), args: [name], env };
  }

  #controlPlan(): ChildPlan {
    const { host, httpPort, https, dataDir, trustedProxies } = this.#options;
    return {
      name: 'control',
      command: this.#command('control'),
      config: (): ControlConfig => ({
        host,
        port: this.#control?.port ?? httpPort,
        ...(https === undefined ? {} : { https: { ...https, port: this.#httpsPort() ?? https.port } }),
        dataDir,
        serviceToken: this.#serviceToken,
        webDir: fileURLToPath(new URL('../../web', import.meta.url)),
        internalPort: this.#control?.internalPort ?? 0,
        ...(trustedProxies === undefined ? {} : { trustedProxies }),
      }),
      onReady: async (ready, child) => {
        this.#control = ready as ControlReady;
        this.#controlChild = child;
        if (this.#apiKey === undefined) await this.#firstStart(child);
        await this.#tellEndpoints();
      },
    };
  }

  async #firstStart(control: Child): Promise<void> {
    const url = this.#controlUrl();
    const { apiKey, created } = await ensureLocalKey(
      this.#env,
      url,
      async (options) => (await control.call('bootstrap', options)) as { apiKey?: string },
    );
    this.#apiKey = apiKey;
    if (created) this.newApiKey = apiKey;
    if (this.#options.demo) this.#demoInput = await demoInput(url, apiKey);
  }

  #relayPlan(): ChildPlan {
    const { host, relayPort, dataDir, versions, maxSessions, congestionControl, publicUrls } = this.#options;
    const publicName = publicUrls?.relay ?? publicUrls?.http;
    const { env, ...command } = this.#command('relay');
    return {
      name: 'relay',
      command: { ...command, env: { ...relayEnv, ...env }, nodeOptions: relayNodeOptions },
      config: (): RelayConfig => ({
        host,
        port: this.#relay?.port ?? relayPort,
        dataDir,
        ...(versions === undefined ? {} : { versions }),
        ...(maxSessions === undefined ? {} : { maxSessions }),
        ...(congestionControl === undefined ? {} : { congestionControl }),
        ...(publicName === undefined ? {} : { certificateHosts: [hostOf(publicName)] }),
        controlUrl: this.#internalUrl(),
        serviceToken: this.#serviceToken,
        ...(this.#control === undefined ? {} : { issuer: this.#control.issuer }),
      }),
      onReady: async (ready) => {
        this.#relay = ready as RelayReady;
        await this.#tellEndpoints();
      },
    };
  }

  #enginePlan(): ChildPlan {
    const {
      dataDir,
      maxUploadBytes,
      host,
      rtmpPort,
      rtmps,
      srtPort,
      whip,
      relayUrl,
      hlsWindowSeconds,
      fragmentSeconds,
      congestionControl,
    } = this.#options;
    return {
      name: 'engine',
      command: this.#command('engine'),
      config: (): EngineConfig => ({
        host,
        rtmpPort: this.#engine?.rtmpPort ?? rtmpPort,
        ...(rtmps === undefined ? {} : { rtmps: { ...rtmps, port: this.#engine?.rtmps?.port ?? rtmps.port } }),
        srtPort: this.#engine?.srtPort ?? srtPort,
        ...(whip === undefined ? {} : { whip }),
        ...(hlsWindowSeconds === undefined ? {} : { hlsWindowSeconds }),
        ...(fragmentSeconds === undefined ? {} : { fragmentSeconds }),
        ...(congestionControl === undefined ? {} : { congestionControl }),
        controlUrl: this.#internalUrl(),
        serviceToken: this.#serviceToken,
        ...(this.#control === undefined ? {} : { issuer: this.#control.issuer }),
        relayUrl: this.#relay === undefined ? relayUrl! : urlOf('https', host, this.#relay.port),
        ownRelay: this.#relay !== undefined,
        ...(this.#demoInput === undefined ? {} : { demo: this.#demoInput }),
        mediaDir: join(dataDir, 'media'),
        ...(maxUploadBytes === undefined ? {} : { maxUploadBytes }),
      }),
      onReady: async (ready) => {
        this.#engine = ready as EngineReady;
        await this.#tellEndpoints();
      },
    };
  }

  /** Control puts these into the URLs it hands out; a restarted one is told again. */
  async #tellEndpoints(): Promise<void> {
    if (this.#controlChild === undefined) return;
    try {
      await this.#controlChild.call('setEndpoints', this.#endpoints());
    } catch (error) {
      // A control that died is told when it is back; that is no fault of the child that has just started.
      if (!(error instanceof StreamsError) || error.code !== 'CHILD_DIED') throw error;
    }
  }
}
