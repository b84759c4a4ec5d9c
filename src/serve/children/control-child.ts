import { startControl } from '../../control/control.ts';
import type { StartChild } from './child-role.ts';

export type ControlConfig = {
  host: string;
  port: number;
  https?: { port: number; certFile: string; keyFile: string };
  dataDir: string;
  serviceToken: string;
  webDir: string;
  /** For engine and relay of this machine. */
  internalPort: number;
  trustedProxies?: readonly string[];
};

export type ControlReady = { port: number; internalPort: number; issuer: string; httpsUrl?: string };

export const startChild: StartChild = async (config, logger) => {
  const control = await startControl({ ...(config as ControlConfig), logger });
  return {
    ready: {
      port: control.port,
      internalPort: control.internalPort!,
      issuer: control.issuer,
      ...(control.httpsUrl === undefined ? {} : { httpsUrl: control.httpsUrl }),
    } satisfies ControlReady,
    calls: {
      bootstrap: (options) => control.bootstrap(options as Parameters<typeof control.bootstrap>[0]),
      setEndpoints: async (endpoints) => control.setEndpoints(endpoints as Parameters<typeof control.setEndpoints>[0]),
      told: async () => control.told(),
    },
    stop: () => control.close(),
  };
};
