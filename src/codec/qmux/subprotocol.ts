/**
 * Sec-WebSocket-Protocol of QMux. Released peers (@moq/net 0.3.4, moq-native and moq-relay with qmux 0.5) put the draft of
 * QMux in front of the application protocol: `qmux-01.moqt-18`; they pair moqt-18 with qmux-01 alone and other protocols
 * with every draft they know. draft-lcurley-qmux-websocket (Subprotocol Negotiation) wants the bare `moqt-18`. We speak
 * drafts 02 and 01, which lay out the same bytes, and take all three; `qmux-00` (no records, no keep-alive) and the older
 * `webtransport` framing we do not.
 */
const prefixes = ['qmux-02.', 'qmux-01.', ''];

/** QMux alone, with no word of what it carries: draft-14, whose SETUP says the version (@moq/net 0.1 comes so). */
const bare = ['qmux-02', 'qmux-01'];
const inBand = 'moq-00';

/** What a client offers for `protocols`, best first. */
export function offeredSubprotocols(protocols: readonly string[]): string[] {
  return protocols.flatMap((protocol) => prefixes.map((prefix) => prefix + protocol));
}

/**
 * The one of `offered` that a server of `protocols` answers: of the protocol that the client names first, as the newest QMux, or
 * else QMux alone; undefined when none will do.
 */
export function chooseSubprotocol(offered: Iterable<string>, protocols: readonly string[]): string | undefined {
  const wanted = new Set(offered);
  const protocol = [...wanted].map(applicationProtocol).find((name) => protocols.includes(name));
  if (protocol !== undefined) return prefixes.map((prefix) => prefix + protocol).find((name) => wanted.has(name));
  return protocols.includes(inBand) ? bare.find((name) => wanted.has(name)) : undefined;
}

/** `moqt-18` of `qmux-01.moqt-18`; '' of `qmux-01`. */
export function applicationProtocol(subprotocol: string): string {
  if (bare.includes(subprotocol)) return '';
  const prefix = prefixes.find((known) => subprotocol.startsWith(known)) ?? '';
  return subprotocol.slice(prefix.length);
}
