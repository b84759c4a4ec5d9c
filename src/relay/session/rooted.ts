import type { Session, TrackName } from '../../session/types.ts';

/**
 * Sessions whose path is the root of their namespaces (`/demo/room` + `alice` is `demo/room/alice`): inside the relay every
 * namespace is whole, on the wire of such a session it is what follows the root.
 */

/** A request of the session as the relay sees it. */
export function rootedRequest<T extends { readonly track: TrackName }>(root: readonly string[], request: T): T {
  if (root.length === 0) return request;
  const track = { ...request.track, namespace: [...root, ...request.track.namespace] };
  return overriding(request, { track });
}

/** The session as the relay asks it for tracks. */
export function rootedSession(root: readonly string[], session: Session): Session {
  if (root.length === 0) return session;
  const subscribe: Session['subscribe'] = (track, options) => session.subscribe(unrooted(root, track), options);
  const fetch: Session['fetch'] = (target, options) =>
    session.fetch('track' in target ? { ...target, track: unrooted(root, target.track) } : target, options);
  return overriding(session, { subscribe, fetch });
}

/** What the session calls a track of ours. */
export function unrooted<T extends { readonly namespace: readonly string[] }>(root: readonly string[], named: T): T {
  return { ...named, namespace: named.namespace.slice(root.length) };
}

/** `target`, except for some properties. Getters and private fields of the target keep working. */
function overriding<T extends object>(target: T, properties: object): T {
  return new Proxy(target, {
    get(of, key) {
      if (Object.hasOwn(properties, key)) return Reflect.get(properties, key);
      const value: unknown = Reflect.get(of, key, of);
      return typeof value === 'function' ? value.bind(of) : value;
    },
  });
}
