import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What each room may import, longest prefix first: the arrows of ARCHITECTURE.md. */
const arrows: readonly [room: string, mayImport: readonly string[]][] = [
  ['src/core', ['src/core']],
  ['src/codec', ['src/core', 'src/codec']],
  ['src/transport', ['src/core', 'src/transport', 'src/codec/http3', 'src/codec/qmux', 'src/codec/quic-varint.ts']],
  ['src/session', ['src/core', 'src/session', 'src/codec/moqt', 'src/transport']],
  ['src/broadcast', ['src/broadcast', 'src/core', 'src/codec/moqt', 'src/session', 'src/transport']],
  ['src/contract', ['src/contract', 'src/core']],
  ['src/access', ['src/access', 'src/contract', 'src/core']],
  [
    'src/relay',
    ['src/access', 'src/contract', 'src/core', 'src/relay', 'src/session', 'src/codec/moqt', 'src/transport'],
  ],
  [
    'src/engine',
    [
      'src/access',
      'src/broadcast',
      'src/contract',
      'src/core',
      'src/engine',
      'src/codec',
      'src/session',
      'src/transport',
    ],
  ],
  ['src/control', ['src/access', 'src/contract', 'src/core', 'src/control']],
  [
    'src/sdk',
    [
      'src/broadcast',
      'src/core',
      'src/sdk',
      'src/codec/catalog',
      'src/codec/cmaf',
      'src/codec/moqt',
      'src/session',
      'src/transport',
    ],
  ],
  ['src/serve', ['src']],
  [
    'commands',
    ['commands', 'src/contract', 'src/core', 'src/sdk', 'src/serve', 'src/codec', 'src/session', 'src/transport'],
  ],
];

/** Rooms that run in a browser: no Node module may be reachable from them. */
const browserSafe = ['src/broadcast', 'src/core', 'src/codec', 'src/session', 'src/sdk'];

/** Files at one level of a room. Folders of one wire message a file may have more. */
const maxFilesAtOneLevel = 20;
const folderOfMessages = /^src\/codec\/moqt\/(draft\d+|lite|control)$/;

const sources = ['src', 'commands'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path.split(sep).join('/')}`),
);

const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

type Import = { specifier: string; target: string | undefined };

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found: Import[] = [];
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g;
  for (const match of text.matchAll(pattern)) {
    const specifier = (match[1] ?? match[2] ?? match[3])!;
    const target = specifier.startsWith('.')
      ? relative(root, join(root, dirname(file), specifier))
          .split(sep)
          .join('/')
      : undefined;
    found.push({ specifier, target });
  }
  return found;
}

const graph = new Map(sources.map((file) => [file, importsOf(file)]));

const within = (path: string, room: string) => path === room || path.startsWith(`${room}/`);

describe('architecture', () => {
  it('finds the sources', () => {
    expect(sources.length).toBeGreaterThan(50);
    for (const [room] of arrows)
      expect(
        sources.some((file) => within(file, room)),
        room,
      ).toBe(true);
  });

  it('has every source in a room of the map', () => {
    expect(sources.filter((file) => !arrows.some(([room]) => within(file, room)))).toEqual([]);
  });

  it('imports only along the arrows of the map', () => {
    const wrong: string[] = [];
    for (const [file, imports] of graph) {
      const allowed = arrows.find(([room]) => within(file, room))?.[1] ?? [];
      for (const { target } of imports)
        if (target !== undefined && !allowed.some((room) => within(target, room))) wrong.push(`${file} → ${target}`);
    }
    expect(wrong).toEqual([]);
  });

  it('loads the schema library in control only: the others take the types of endpoints', () => {
    const mayLoad = ['src/control', 'src/contract/internal', 'src/core/lenient.ts'];
    const wrong = sources.filter((file) => {
      if (mayLoad.some((room) => within(file, room))) return false;
      const text = readFileSync(join(root, file), 'utf8');
      const loaded = text.matchAll(/(?:^|\n)(?:import|export) (?!type )[^'";]*?from '([^']+)'/g);
      return [...loaded].some(([, from]) => /^zod$|\/core\/lenient\.ts$|\/internal\/[a-z-]+\.ts$/.test(from!));
    });
    expect(wrong).toEqual([]);
  });

  it('resolves every relative import to a file that exists', () => {
    const missing: string[] = [];
    for (const [file, imports] of graph)
      for (const { target } of imports)
        if (target !== undefined && !graph.has(target) && !target.endsWith('.json'))
          missing.push(`${file} → ${target}`);
    expect(missing).toEqual([]);
  });

  it('has no import cycle', () => {
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: string[]) => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      state.set(file, 'open');
      for (const { target } of graph.get(file) ?? [])
        if (target !== undefined && graph.has(target)) visit(target, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of graph.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('keeps Node out of the rooms that run in a browser', () => {
    const wrong: string[] = [];
    for (const [file, imports] of graph) {
      if (!browserSafe.some((room) => within(file, room))) continue;
      for (const { specifier } of imports) if (builtins.has(specifier)) wrong.push(`${file} → ${specifier}`);
      if (/\b(Buffer|process)\./.test(readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')))
        wrong.push(`${file} uses a Node global`);
    }
    expect(wrong).toEqual([]);
  });

  it('bundles the sdk for a browser with no Node module in it', async () => {
    const result = await build({
      configFile: false,
      root,
      logLevel: 'silent',
      build: { write: false, minify: false, lib: { entry: join(root, 'src/sdk/index.ts'), formats: ['es'] } },
    });
    const outputs = (Array.isArray(result) ? result : [result]).flatMap((part) =>
      'output' in part ? part.output : [],
    );
    const chunks = outputs.filter((output) => output.type === 'chunk');
    const imported = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]);
    const modules = chunks.flatMap((chunk) => Object.keys(chunk.modules));
    expect(modules.length).toBeGreaterThan(10);
    expect(imported.filter((name) => builtins.has(name))).toEqual([]);
    expect(modules.filter((name) => name.includes('__vite-browser-external'))).toEqual([]);
  });

  it('writes to the terminal only in commands/output', () => {
    const wrong = sources.filter(
      (file) =>
        !within(file, 'commands/output') &&
        /\bconsole\.(log|error|warn|info)\b|process\.std(out|err)\.write/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps rooms small: walls, before there are more files at one level than one can take in', () => {
    const folders = new Map<string, number>();
    for (const file of sources) folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1);
    const crowded = [...folders].filter(
      ([folder, count]) => count > maxFilesAtOneLevel && !folderOfMessages.test(folder),
    );
    expect(crowded.map(([folder, count]) => `${folder}: ${count}`)).toEqual([]);
  });

  it('keeps files small', () => {
    const long = sources.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 401);
    expect(long).toEqual([]);
  });
});
