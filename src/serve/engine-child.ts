import { startEngine } from '../engine/engine.ts';
import { connect } from '../transport/connect.ts';
import type { StartChild } from './child-role.ts';
import type { DemoInput } from './demo.ts';

export type EngineConfig = {
  host: string;
  rtmpPort: number;
  controlUrl: string;
  serviceToken: string;
  relayUrl: string;
  demo?: DemoInput;
};

export type EngineReady = { rtmpPort: number };

export const startChild: StartChild = async (config, logger) => {
  const engine = await startEngine({ ...(config as EngineConfig), connect, logger });
  return {
    ready: { rtmpPort: engine.rtmpPort } satisfies EngineReady,
    stop: () => engine.close(),
  };
};
