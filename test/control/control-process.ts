// A control plane as a process of its own that says where it listens; bundled, stopped and killed by attention.test.ts.
import { writeSync } from 'node:fs';
import { startControl } from '../../src/control/control.ts';
import { silentLogger } from '../../src/core/log.ts';

const control = await startControl({
  host: '127.0.0.1',
  port: 0,
  dataDir: process.argv[2]!,
  serviceToken: process.argv[3]!,
  logger: silentLogger,
});
writeSync(1, `${JSON.stringify({ port: control.port, ...(await control.bootstrap()) })}\n`);
