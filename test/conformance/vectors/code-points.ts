import { fixture } from './vectors.ts';

export type Registry = {
  readonly draft: number;
  readonly registry: string;
  readonly codes: Readonly<Record<string, number>>;
};

export const registries = fixture<Registry>('moqtap', 'code-points.json');
export const ofMoqtail = fixture<Registry>('moqtail', 'code-points.json');

export function registry(draft: number, name: string): Readonly<Record<string, number>> {
  return registries.find((one) => one.draft === draft && one.registry === name)!.codes;
}

/** Whether a code of an answer is one of the draft (up to draft-16). */
export function isAssigned(draft: number, message: string, code: number): boolean {
  const of14: Readonly<Record<string, string>> = {
    subscribe_error: 'subscribe error',
    track_status_error: 'subscribe error',
    publish_error: 'publish error',
    fetch_error: 'fetch error',
    publish_namespace_error: 'publish namespace error',
    publish_namespace_cancel: 'publish namespace error',
    subscribe_namespace_error: 'subscribe namespace error',
  };
  const name = message === 'publish_done' ? 'publish done' : draft === 14 ? of14[message]! : 'request error';
  return Object.values(registry(draft, name)).includes(code);
}
