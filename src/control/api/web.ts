import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { StreamsError } from '../../core/errors.ts';
import { isId } from '../../core/ids.ts';
import type { App } from './app-env.ts';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

/** The player connects to whatever relay it is told, and plays from a MediaSource, which is a blob. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  'connect-src *',
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  // Nobody lays our pages under theirs.
  "frame-ancestors 'self'",
].join('; ');

/** One path segment as Vite names its output: no separators, no leading dot. */
const assetName = /^[0-9A-Za-z_-][0-9A-Za-z._-]{0,127}$/;

/** The built web pages: `/`, `/watch/<id>` and `/assets/*`. Without them, an answer that says how to get them. */
export function mountWeb(app: App, webDir: string | undefined): void {
  app.get('/', () => page(webDir, ['index.html']));
  const watch = (id: string) => {
    if (!isId('lv', id) && !isId('as', id) && !isId('pb', id))
      throw new StreamsError('NOT_FOUND', 'there is nothing here');
    return page(webDir, ['watch.html', 'watch/index.html', 'index.html']);
  };
  app.get('/watch/:id', (c) => watch(c.req.param('id')));
  app.get('/watch/:id/', (c) => watch(c.req.param('id')));
  app.get('/assets/:name', async (c) => {
    const name = c.req.param('name');
    const bytes = webDir !== undefined && assetName.test(name) && (await read(join(webDir, 'assets', name)));
    if (!bytes) throw new StreamsError('NOT_FOUND', 'there is nothing here');
    return new Response(bytes, {
      headers: {
        'content-type': types[extname(name)] ?? 'application/octet-stream',
        // Vite puts a hash of the content into the name.
        'cache-control': 'public, max-age=31536000, immutable',
      },
    });
  });
}

async function page(webDir: string | undefined, candidates: readonly string[]): Promise<Response> {
  for (const name of webDir === undefined ? [] : candidates) {
    const bytes = await read(join(webDir!, name));
    if (bytes) return html(bytes, 200);
  }
  return html(missing, 503);
}

function html(body: string | Uint8Array<ArrayBuffer>, status: number): Response {
  return new Response(body, {
    status,
    headers: {
      'content-type': types['.html']!,
      'cache-control': 'no-cache',
      'content-security-policy': contentSecurityPolicy,
      // The page's address holds a playback token.
      'referrer-policy': 'no-referrer',
    },
  });
}

const missing = `<!doctype html><html lang="en"><meta charset="utf-8"><title>streams</title>
<h1>The web pages are not built</h1>
<p>The server runs, but the player is missing from this installation. Build it with <code>npm run build</code> and reload.</p>
<p>The API is at <a href="/v1/openapi.json">/v1/openapi.json</a>.</p></html>
`;

async function read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
