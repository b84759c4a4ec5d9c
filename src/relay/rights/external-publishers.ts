import type { Grant } from '../../access/grant.ts';
import { everythingBelow } from '../../access/pattern.ts';

/** Below it is what MoQT publishers bring, for engines to fetch: `ingest/<org>/<input>/<session>/…`. */
export const ingestRoot = 'ingest';

/**
 * Publishers from outside: an engine makes their media a broadcast. Each session has a root of its own, so that two of one
 * input are told apart; the newer one takes the input over and the older one is let go.
 */
export class ExternalPublishers {
  readonly #current = new Map<string, (reason: string) => void>();

  /** `granted`: what the stream key opens, for its end. */
  grant({ orgId, inputId }: { orgId: string; inputId: string }, granted: Grant): Grant {
    const root = [ingestRoot, orgId, inputId, crypto.randomUUID()];
    return {
      ...granted,
      root,
      publish: [everythingBelow(root)],
      watch: (end) => {
        const stop = granted.watch(end);
        const before = this.#current.get(inputId);
        this.#current.set(inputId, end);
        before?.('another publisher took this input over');
        return () => {
          stop();
          if (this.#current.get(inputId) === end) this.#current.delete(inputId);
        };
      },
    };
  }
}
