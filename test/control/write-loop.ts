// A control plane that creates inputs for ever and says each one that was acknowledged; bundled and killed by durability.test.ts.
import { writeSync } from 'node:fs';
import { startControl } from '../../src/control/control.ts';
import { silentLogger } from '../../src/core/log.ts';

const control = await startControl({
  host: '127.0.0.1',
  port: 0,
  dataDir: process.argv[2]!,
  serviceToken: 'x',
  logger: silentLogger,
});
const { apiKey } = await control.bootstrap();
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);
say({ apiKey });
for (let n = 0; ; n++) {
  const response = await fetch(`http://127.0.0.1:${control.port}/v1/live-inputs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ name: `input ${n}` }),
  });
  const { id, name } = (await response.json()) as { id: string; name: string };
  if (response.status !== 201) throw new Error(`status ${response.status}`);
  say({ id, name });
}
