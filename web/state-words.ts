import type { StreamsError, ViewerState } from '../src/sdk/index.ts';

export type Words = { badge: string; headline: string; detail: string };

/** The same for an asset, which is not live. */
export function assetWords(state: ViewerState): Words {
  if (state.name === 'playing') return { badge: 'On demand', headline: 'Playing', detail: '' };
  if (state.name !== 'waiting') return stateWords(state);
  return { badge: 'Not ready', headline: 'Not ready yet', detail: 'It plays here as soon as it is prepared.' };
}

/** A viewer's state in words for people who know nothing of tokens and relays. */
export function stateWords(state: ViewerState): Words {
  switch (state.name) {
    case 'connecting':
      return { badge: 'Connecting', headline: 'Connecting…', detail: '' };
    case 'waiting':
      return {
        badge: 'Off air',
        headline: 'Waiting for the stream to start…',
        detail: 'It begins to play here as soon as it is live.',
      };
    case 'playing':
      return { badge: 'Live', headline: 'Playing', detail: '' };
    case 'stalled':
      return { badge: 'Stalled', headline: 'Nothing arrives', detail: 'Looking for another way by itself…' };
    case 'reconnecting': {
      const unreachable = state.error.code === 'RELAY_UNREACHABLE' || state.error.code === 'API_UNREACHABLE';
      return {
        badge: 'Reconnecting',
        headline: unreachable && state.attempt > 1 ? 'The server cannot be reached' : 'Connection lost',
        detail: 'Trying again by itself…',
      };
    }
    case 'ended':
      return state.error === undefined ? overWords : errorWords(state.error);
  }
}

const overWords: Words = { badge: 'Ended', headline: 'The stream is over', detail: 'Thank you for watching.' };

/** What a person can do about an error that no retry would change. */
export function errorWords(error: StreamsError): Words {
  const badge = 'Not playing';
  switch (error.code) {
    case 'TOKEN_EXPIRED':
      return { badge, headline: 'This link has expired', detail: 'Ask for a new one where you got it.' };
    case 'TOKEN_INVALID':
      return {
        badge,
        headline: 'This link does not open this stream',
        detail: 'It may be incomplete, or made for another stream. Ask for a new one where you got it.',
      };
    case 'UNSUPPORTED':
      return {
        badge,
        headline: 'This browser cannot play the stream',
        detail: `${sentence(error.message)} A current Chrome or Edge can.`,
      };
    default:
      return { badge, headline: 'The stream cannot be played', detail: sentence(error.message) };
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
