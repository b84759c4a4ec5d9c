import { StreamsError, toStreamsError } from '../../core/errors.ts';
import { childLogger } from '../log.ts';
import type { ErrorMessage, FromChild, ProcessName, ToChild } from './child-messages.ts';
import type { StartChild } from './child-role.ts';
import { catchTheRest } from './last-resort.ts';

// First of all: a supervisor that was killed leaves no orphans, and Ctrl-C in the terminal (which reaches the whole
// process group) is the supervisor's to act on.
process.on('disconnect', () => process.exit(1));
process.on('SIGINT', () => {});
if (!process.connected) process.exit(1);

const roles: Record<ProcessName, () => Promise<{ startChild: StartChild }>> = {
  control: () => import('./control-child.ts'),
  relay: () => import('./relay-child.ts'),
  engine: () => import('./engine-child.ts'),
};

const send = (message: FromChild) => process.send?.(message);

function errorMessage(thrown: unknown): ErrorMessage {
  const { code, message, hint } = toStreamsError(thrown);
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

const logger = childLogger(process.env.STREAMS_LOG_LEVEL);
// Before it serves, nobody is there who could be served on.
catchTheRest(logger, (error) => (served === undefined ? fatal(error) : served.faulted?.()));
const name = process.argv[2] as ProcessName;
// Loaded while the supervisor is busy with those that come before.
const role = roles[name]();
role.catch(() => {});
let running: ReturnType<StartChild> | undefined;
let stopping = false;
let served: Awaited<ReturnType<StartChild>> | undefined;

async function start(config: unknown): Promise<void> {
  try {
    running = role.then(({ startChild }) => startChild(config, logger));
    served = await running;
    send({ type: 'ready', ready: served.ready });
  } catch (thrown) {
    fatal(thrown);
  }
}

function fatal(thrown: unknown): void {
  const error = errorMessage(thrown);
  process.send?.({ type: 'fatal', error } satisfies FromChild, () => process.exit(1));
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  try {
    await (await running)?.stop();
  } catch (thrown) {
    logger.error('stopping failed', { error: errorMessage(thrown).message });
  }
  process.exit(0);
}

async function call(id: number, method: string, params: unknown): Promise<void> {
  try {
    const run = (await running)?.calls?.[method];
    if (run === undefined) throw new StreamsError('UNSUPPORTED', `${name} has no ${method}`);
    send({ type: 'answer', id, value: await run(params) });
  } catch (thrown) {
    send({ type: 'answer', id, error: errorMessage(thrown) });
  }
}

process.on('SIGTERM', () => void stop());
process.on('message', (message: ToChild) => {
  if (message.type === 'config') void start(message.config);
  else if (message.type === 'call') void call(message.id, message.method, message.params);
  else if (message.type === 'alive') send({ type: 'alive' });
  else void stop();
});
