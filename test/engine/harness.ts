import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CertificateFiles } from '../../src/access/certificate-files.ts';
import type { AnswerOf } from '../../src/contract/endpoints.ts';
import type { LogFields, Logger } from '../../src/core/log.ts';
import { type Engine, startEngine } from '../../src/engine/engine.ts';
import type { RenditionsOptions } from '../../src/engine/transcode/renditions.ts';
import { establish } from '../../src/session/establish.ts';
import type { MoqObject, Session, Subscription } from '../../src/session/types.ts';
import { type MemoryPair, memoryPair } from '../../src/transport/memory.ts';

export const inputId = 'lv_0123456789abcdefghijkl';
export const streamKey = 'sk_live_right';
export const issuer = 'https://issuer.test';
export const namespace = ['stream', 'org_local', inputId];
/** What control answers for a right key. */
export const grant = { orgId: 'org_local', inputId, namespace, at: 0, record: false, ladder: '' };
export const demoFile = new URL('../../fixtures/media/demo.flv', import.meta.url).pathname;

/** A control plane of one input, over real HTTP: knows one key, remembers what it was told. */
export class OneInputControl {
  /** Ids of what was live, beat by beat. */
  readonly heartbeats: string[][] = [];
  /** What was said to have failed. */
  readonly errored: { inputId: string; reason: string }[] = [];
  /** What was last said of the ingest. */
  stats: Record<string, unknown> | undefined;
  readonly asked: { streamKey: string; ingest: string }[] = [];
  readonly server: Server;
  down = false;
  /** What it wants off the air. */
  stop: string[] = [];
  /** The ladder of the input. */
  ladder: string | undefined;

  constructor() {
    this.server = createServer(async (request, response) => {
      const body = JSON.parse(await text(request));
      if (this.down || request.headers.authorization !== 'Bearer service') {
        response.writeHead(this.down ? 503 : 404).end('{}');
      } else if (request.url === '/internal/engine/heartbeat') {
        this.heartbeats.push(body.live.map((live: { inputId: string }) => live.inputId));
        this.stats = body.live[0]?.stats ?? this.stats;
        this.errored.push(...(body.errored ?? []));
        const answer: AnswerOf<'heartbeat'> = { ok: true, stop: this.stop, moved: [], record: [] };
        response.end(JSON.stringify(answer));
      } else {
        this.asked.push(body);
        const right = body.streamKey === streamKey && body.inputId === inputId;
        if (right) response.end(JSON.stringify({ ...grant, ladder: this.ladder }));
        else
          response.writeHead(401).end(JSON.stringify({ error: { code: 'UNAUTHORIZED', message: 'wrong stream key' } }));
      }
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
}

async function text(request: IncomingMessage): Promise<string> {
  let all = '';
  for await (const chunk of request) all += chunk;
  return all;
}

/** The subscriber's end of each connection the engine makes, over memory. */
export type RelayEnd = { session: Session; announced: Promise<readonly string[]>; pair: MemoryPair };

export type Harness = {
  engine: Engine;
  control: OneInputControl;
  log: { level: string; message: string; fields: LogFields | undefined }[];
  /** Connections the engine made, in order. */
  relays: RelayEnd[];
  relayDown: boolean;
  url(key?: string): string;
  /** `query` begins with `&`; `port` for a way that is not the straight one. */
  srtUrl(query?: string, port?: number): string;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function startHarness(
  options: {
    demo?: boolean;
    graceMs?: number;
    ladder?: string;
    renditions?: Partial<RenditionsOptions>;
    rtmps?: CertificateFiles;
  } = {},
): Promise<Harness> {
  const control = new OneInputControl();
  control.ladder = options.ladder;
  control.server.listen(0, '127.0.0.1');
  await once(control.server, 'listening');
  const log: Harness['log'] = [];
  const at = (level: string) => (message: string, fields?: LogFields) => void log.push({ level, message, fields });
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const relays: RelayEnd[] = [];
  const harness = {
    control,
    log,
    relays,
    relayDown: false,
    url: (key = streamKey) => `rtmp://127.0.0.1:${harness.engine.rtmpPort}/live/${inputId}?sk=${key}`,
    srtUrl: (query = '', port = harness.engine.srtPort) =>
      `srt://127.0.0.1:${port}?streamid=${inputId}:${streamKey}${query}`,
    async [Symbol.asyncDispose]() {
      await harness.engine.close();
      control.server.closeAllConnections();
      control.server.close();
    },
  } as Harness;
  harness.engine = await startEngine({
    host: '127.0.0.1',
    rtmpPort: 0,
    srtPort: 0,
    controlUrl: control.url,
    serviceToken: 'service',
    issuer,
    relayUrl: 'https://relay.test:4443',
    logger,
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
    ...(options.renditions === undefined ? {} : { renditions: options.renditions }),
    ...(options.rtmps === undefined ? {} : { rtmps: { ...options.rtmps, port: 0 } }),
    ...(options.demo ? { demo: { inputId, streamKey, file: demoFile } } : {}),
    connect: async () => {
      if (harness.relayDown) throw new Error('connection refused');
      const pair = memoryPair({ protocol: 'moqt-18', highWaterBytes: 4 << 20 });
      let tell!: (name: readonly string[]) => void;
      const announced = new Promise<readonly string[]>((resolve) => {
        tell = resolve;
      });
      void establish(pair.server, {
        role: 'server',
        handlers: {
          subscribeNamespace: (request) => void request.accept(),
          publishNamespace: (announcement) => {
            announcement.accept();
            tell(announcement.namespace);
          },
        },
      }).then(
        (session) => {
          // The other connection asks for MoQT publishers.
          if (session.peer.path.startsWith('/publish/')) relays.push({ session, announced, pair });
        },
        () => {},
      );
      return pair.client;
    },
  });
  return harness;
}

/** Waits for a condition, at most five seconds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 5000,
): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export type Group = { groupId: number; priority: number; objects: MoqObject[]; reset: boolean };

/** All groups of a subscription as they come; the array grows. */
export function collect(subscription: Subscription): Group[] {
  const groups: Group[] = [];
  void (async () => {
    for (;;) {
      const subgroup = await subscription.nextSubgroup();
      if (subgroup === null) return;
      const group: Group = { groupId: subgroup.groupId, priority: subgroup.priority, objects: [], reset: false };
      groups.push(group);
      void (async () => {
        try {
          for (let object = await subgroup.next(); object !== null; object = await subgroup.next())
            group.objects.push(object);
        } catch {
          group.reset = true;
        }
      })();
    }
  })();
  return groups;
}

/** Runs a program to its end; answers its exit code and what it said. */
export async function run(
  program: string,
  args: string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes) => {
    stdout += bytes;
  });
  child.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}
