import { streamResetCodes } from '../../codec/moqt/codes.ts';
import { encodeMessage } from '../../codec/moqt/lite/message.ts';
import { type Probe, probe } from '../../codec/moqt/lite/probe.ts';
import type { ProbeLevel } from '../../codec/moqt/lite/setup.ts';
import type { Transport } from '../../transport/transport.ts';
import type { SessionMember } from '../moqt/context.ts';
import type { LiteContext } from './context.ts';
import type { LiteStream } from './lite-stream.ts';

/** How often the estimates are looked at, and how long they may stay untold when they hardly change. */
const lookEveryMs = 500;
const repeatMs = 5000;
/** What counts as a change. */
const changedBy = 0.1;

/** We can tell what the transport knows, and send nothing only to find out. */
export function probeLevel({ kind }: Transport): ProbeLevel {
  return kind === 'quic' || kind === 'webtransport' ? 'report' : 'none';
}

/**
 * A Probe Stream of the peer (draft-lcurley-moq-lite, Probe): our estimates, as long as it likes. What it would like to get is
 * read and counts for nothing.
 */
export async function answerProbe(context: LiteContext, stream: LiteStream): Promise<void> {
  const { transport, version, live } = context;
  if (probeLevel(transport) === 'none') {
    stream.cancel(streamResetCodes.internalError);
    return;
  }
  let told: Probe | undefined;
  let toldAt = 0;
  const look = (): void => {
    const now = performance.now();
    const next = estimate(transport);
    if (told !== undefined && now - toldAt < repeatMs && isNear(told, next)) return;
    told = next;
    toldAt = now;
    stream.write(encodeMessage(probe, next, version));
  };
  const timer = setInterval(look, lookEveryMs);
  const member: SessionMember = { sessionEnded: () => clearInterval(timer) };
  live.add(member);
  void stream.send.stopped.then(() => clearInterval(timer));
  look();
  try {
    while ((await stream.reader.message(probe)) !== null);
    stream.finish();
  } finally {
    clearInterval(timer);
    live.delete(member);
  }
}

/** What the congestion window lets through. */
function estimate(transport: Transport): Probe {
  const { rttMs, cwnd } = transport.stats();
  return { bitrate: rttMs > 0 ? Math.round((cwnd * 8000) / rttMs) : 0, rttMs: Math.ceil(rttMs) };
}

function isNear(a: Probe, b: Probe): boolean {
  return Math.abs(a.bitrate - b.bitrate) <= a.bitrate * changedBy && Math.abs(a.rttMs - b.rttMs) <= a.rttMs * changedBy;
}
