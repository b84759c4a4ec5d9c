import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StreamsError } from '../../core/errors.ts';
import type { NativeModule } from './native-types.ts';

let loaded: NativeModule | undefined;

/**
 * The QUIC socket's binary: `STREAMS_QUIC_NATIVE` when set, else the one for this platform under native/prebuilds.
 * Throws QUIC_UNAVAILABLE.
 */
export function loadNative(): NativeModule {
  if (loaded !== undefined) return loaded;
  const path = process.env.STREAMS_QUIC_NATIVE ?? prebuiltPath();
  if (!existsSync(path)) throw unavailable(`there is no QUIC socket for ${platformName()}`);
  try {
    loaded = createRequire(import.meta.url)(path) as NativeModule;
  } catch (cause) {
    throw unavailable(`the QUIC socket for ${platformName()} does not load`, cause);
  }
  return loaded;
}

function unavailable(message: string, cause?: unknown): StreamsError {
  const hint = 'install Rust (https://rustup.rs) and run: npm run prepare; until then use the WebSocket address';
  return new StreamsError('QUIC_UNAVAILABLE', message, { hint, cause });
}

/** As scripts/prepare-native.js names them. */
function platformName(): string {
  if (process.platform !== 'linux') return `${process.platform}-${process.arch}`;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return `linux-${process.arch}-${report.header?.glibcVersionRuntime ? 'gnu' : 'musl'}`;
}

/** The package root is above both src/ and dist/src/. */
function prebuiltPath(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === 'streams') {
      return join(folder, 'native', 'prebuilds', `streams-quic-${platformName()}.node`);
    }
    const parent = dirname(folder);
    if (parent === folder) throw unavailable('the package of streams is not complete');
    folder = parent;
  }
}
