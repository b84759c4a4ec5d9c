import { build } from 'vite';

/** A module for the page, with all that it imports, as one script. */
export async function bundle(source: string): Promise<string> {
  const entry = '\0entry';
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? entry : null),
        load: (id) => (id === entry ? source : null),
      },
    ],
    build: { write: false, minify: false, rollupOptions: { input: 'entry' } },
  });
  for (const output of Array.isArray(result) ? result : [result]) {
    if ('output' in output) for (const chunk of output.output) if (chunk.type === 'chunk') return chunk.code;
  }
  throw new Error('nothing was bundled');
}

/** Where a file of the sources is, for the page's module to import. `path` is from the root of the repository. */
export function sourceFile(path: string): string {
  return new URL(`../../${path}`, import.meta.url).pathname;
}
