import { pino } from 'pino';
import type { LogFields, Logger } from '../core/log.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** The logger of a child process: one JSON object a line on stdout, read by the supervisor. Default level: info. */
export function childLogger(level: string | undefined): Logger {
  const log = pino({
    base: null,
    level: levels.find((known) => known === level) ?? 'info',
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  });
  const write = (name: (typeof levels)[number]) => (message: string, fields?: LogFields) =>
    log[name](fields ?? {}, message);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
