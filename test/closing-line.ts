import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** The end of a run in plain words, for people and for programs that read logs: what was not run and why, then one line of counts. */
export class ClosingLine implements Reporter {
  #root = '.';
  /** With `-t` most tests are skipped because of their names: nobody needs a list of those. */
  #named = false;

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root;
    this.#named = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const notRun: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state]++;
        if (!this.#named && (state === 'skipped' || state === 'pending'))
          notRun.push(`  ${module.relativeModuleId} > ${test.fullName}: ${reasonOf(test)}`);
      }
      // A file that could not be loaded has no tests to fail.
      if (module.errors().length > 0) counts.failed++;
    }
    if (process.env.npm_lifecycle_event === 'test')
      notRun.push(...this.#peers().map((file) => `  ${file}: needs more than this machine, npm run test:peers`));
    const skipped = counts.skipped + counts.pending;
    const line = `${counts.passed} passed, ${counts.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    const list = notRun.length > 0 ? `\nSkipped:\n${notRun.join('\n')}\n` : '';
    process.stdout.write(`${list}\n${line}\n`);
  }

  #peers(): string[] {
    return readdirSync(join(this.#root, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.peers.test.ts'))
      .map((file) => join('test', file));
  }
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return (result.state === 'skipped' ? result.note : undefined) ?? 'no reason given';
}
