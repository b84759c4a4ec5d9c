import { protocolViolation } from '../codec/moqt/moqt-error.ts';
import type { PeerSetup, SessionClose } from './types.ts';

/** The life of a session. Requests are handled from `open` on; `leaving` is open too, but the peer asked us to go. */
export type SessionState =
  | { readonly name: 'connecting' }
  | { readonly name: 'authorising'; readonly peer: PeerSetup }
  | { readonly name: 'open'; readonly peer: PeerSetup }
  | { readonly name: 'leaving'; readonly peer: PeerSetup; readonly uri: string; readonly timeoutMs: number }
  | { readonly name: 'closed'; readonly close: SessionClose };

export type SessionEvent =
  | { readonly type: 'setup'; readonly peer: PeerSetup }
  | { readonly type: 'authorised' }
  | { readonly type: 'goaway'; readonly uri: string; readonly timeoutMs: number }
  | { readonly type: 'closed'; readonly close: SessionClose };

/** The one place where a session changes state. Throws PROTOCOL_VIOLATION for what the peer may not do now. */
export function advance(state: SessionState, event: SessionEvent): SessionState {
  if (state.name === 'closed') return state;
  switch (event.type) {
    case 'closed':
      return { name: 'closed', close: event.close };
    case 'setup':
      if (state.name !== 'connecting') throw protocolViolation('a second SETUP');
      return { name: 'authorising', peer: event.peer };
    case 'authorised':
      return state.name === 'authorising' ? { name: 'open', peer: state.peer } : state;
    case 'goaway':
      if (state.name !== 'open') throw protocolViolation(`GOAWAY while ${state.name}`);
      return { name: 'leaving', peer: state.peer, uri: event.uri, timeoutMs: event.timeoutMs };
  }
}
