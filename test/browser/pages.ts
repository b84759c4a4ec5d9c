import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const webDir = fromRoot('dist/web-test');

/** Builds the pages from their sources, once before the files that show them (`globalSetup`). */
export async function setup(): Promise<void> {
  await build({
    root: fromRoot('web'),
    configFile: fromRoot('web/vite.config.ts'),
    logLevel: 'error',
    build: { outDir: webDir },
  });
  if (!existsSync(`${webDir}/watch.html`)) throw new Error('the pages were not built');
}
