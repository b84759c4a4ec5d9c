import { StreamsError } from './errors.ts';
import type { LogFields } from './log.ts';

const maxMessage = 500;
const maxFrames = 16;

/**
 * An error that nobody expected, as a log may have it: message, code, and where it was thrown, its cause too. Queries of URLs and
 * paths, where keys and tokens live, are left out.
 */
export function faultFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: cleaned(String(error)) };
  const cause = error.cause;
  return {
    error: `${error.name}: ${cleaned(error.message)}`,
    ...(error instanceof StreamsError && { code: error.code }),
    stack: framesOf(error),
    ...(cause instanceof Error && { cause: `${cause.name}: ${cleaned(cause.message)}`, causeStack: framesOf(cause) }),
  };
}

/** For an error that must not end the loop it was thrown in: it reaches the process, or the page, as one that nobody caught. */
export function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

function cleaned(message: string): string {
  const short = message.length > maxMessage ? `${message.slice(0, maxMessage)}…` : message;
  return short.replace(/[?#][^\s'"<>)]*/g, '');
}

/** Only the frames: the first lines of a stack repeat the message. */
function framesOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames
    .slice(0, maxFrames)
    .map((line) => line.trim())
    .join(' | ');
}
