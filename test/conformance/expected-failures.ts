import { expect, it } from 'vitest';

/**
 * What does not work with a client of another maker, `<maker> <version>: <case>`, and why. It may only shrink: a case that works though it
 * is in here fails, as does an entry that names no case.
 */
export const expectedFailures: Readonly<Record<string, string>> = {
  // It writes and wants a length before LARGEST_OBJECT, which since draft-17 has none (10.2: "Location: Two consecutive varints"). Of moq-net in
  // Rust that is mended.
  '@moq/net moqt-18: joins what is under way': 'LARGEST_OBJECT with a length',
  '@moq/net moqt-18 over WebSocket: joins what is under way': 'LARGEST_OBJECT with a length',
  '@moq/net moqt-19: joins what is under way': 'LARGEST_OBJECT with a length',
  '@moq/net moqt-20: joins what is under way': 'LARGEST_OBJECT with a length',
  '@moq/net moqt-20: publishes to itself': 'LARGEST_OBJECT with a length',
  '@moq/net moqt-20: publishes to a viewer of ours': 'LARGEST_OBJECT with a length',
};

/** No entry more than this. Lower it with the list. */
const most = 6;

/** `it` for the cases of one maker: those of the list have to fail. `over` is to be called last: it looks for entries without a case. */
export function conformanceCases(maker: string) {
  const seen = new Set<string>();
  return {
    it(version: string, name: string, run: () => Promise<void>): void {
      const key = `${maker} ${version}: ${name}`;
      seen.add(key);
      if (key in expectedFailures) it.fails(name, run);
      else it(name, run);
    },
    over(): void {
      it('no expected failure is stale', () => {
        const ours = Object.keys(expectedFailures).filter((key) => key.startsWith(`${maker} `));
        expect(ours.filter((key) => !seen.has(key))).toEqual([]);
        expect(Object.keys(expectedFailures).length).toBeLessThanOrEqual(most);
      });
    },
  };
}
