import { StreamsError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/log.ts';
import type { EngineOptions } from '../../src/engine/engine.ts';
import { serviceToken, type TestControl } from '../control/helpers.ts';

/** An engine on free ports of loopback that asks this control plane; nothing listens where its relay should be. */
export function engineOptions(control: TestControl, change: Partial<EngineOptions> = {}): EngineOptions {
  return {
    host: '127.0.0.1',
    rtmpPort: 0,
    srtPort: 0,
    controlUrl: control.base,
    serviceToken,
    issuer: control.control.issuer,
    relayUrl: 'moqt://127.0.0.1:1',
    connect: async () => {
      throw new StreamsError('RELAY_UNREACHABLE', 'no relay in this test');
    },
    logger: silentLogger,
    ...change,
  };
}
