import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repoRoot } from './helpers/streams-cli.ts';

const read = (file: string) => readFileSync(join(repoRoot, file), 'utf8');
const within = (folder: string, ending: string) =>
  readdirSync(join(repoRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file));

const pages = [...readdirSync(repoRoot).filter((file) => file.endsWith('.md')), ...within('docs', '.md')].filter(
  (file) => file !== 'CHANGELOG.md',
);

/** As GitHub makes the anchor of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

describe('pages', () => {
  it.each(pages)('%s: every link leads somewhere', (page) => {
    const broken = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link!)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path, anchor] = link.split('#') as [string, string | undefined];
        const target = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(repoRoot, target))) return true;
        if (anchor === undefined || statSync(join(repoRoot, target)).isDirectory()) return false;
        const headings = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));
        return !headings.includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('every page of docs/ is linked from another page', () => {
    const linked = new Set(
      pages.flatMap((page) =>
        [...read(page).matchAll(/\]\(([^)#\s]+)/g)]
          .map(([, path]) => join(dirname(page), path!))
          .filter((to) => to !== page),
      ),
    );
    expect(pages.filter((page) => page.startsWith('docs/') && !linked.has(page))).toEqual([]);
  });
});

const sources = new Map<string, string>();
function sourceOf(room: string): string {
  let text = sources.get(room);
  if (text === undefined) {
    text = within(room, '.ts').map(read).join('\n');
    sources.set(room, text);
  }
  return text;
}

/** `src/relay`: `Lane`, `Viewer`; `src/session`: `Session`. */
function placesOf(where: string): [room: string, name: string][] {
  return where.split(';').flatMap((part) => {
    const [room, ...names] = [...part.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    return names.map((name): [string, string] => [room!, name]);
  });
}

describe('docs/decisions', () => {
  const decisions = within('docs/decisions', '.md')
    .filter((file) => !file.endsWith('README.md'))
    .flatMap((file) =>
      read(file)
        .split(/^## /m)
        .slice(1)
        .map((text) => ({ name: `${file}: ${text.split('\n')[0]}`, lines: text.trim().split('\n').slice(1) })),
    );

  it('are found', () => expect(decisions.length).toBeGreaterThan(25));

  it.each(decisions)('$name', ({ lines }) => {
    expect(lines.map((line) => /^- \*\*(\w+)\.\*\* \S/.exec(line)?.[1])).toEqual(['Decision', 'Why', 'Cost', 'Where']);
    const places = placesOf(lines.at(-1)!);
    expect(places).not.toEqual([]);
    const gone = places.filter(([room, name]) => !new RegExp(`\\b${name}\\b`).test(sourceOf(room)));
    expect(gone, 'renamed or moved: change the page with the code').toEqual([]);
  });
});
