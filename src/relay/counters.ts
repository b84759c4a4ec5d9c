/** Running totals since the relay started. */
export type RelayCounters = {
  sessionsAccepted: number;
  sessionsRefused: number;
  /** Errors of ours that nobody expected: each ended one session, or none that is known. */
  faults: number;
  objectsIn: number;
  bytesIn: number;
  /** One object to one viewer counts once; bytes without stream headers. */
  objectsOut: number;
  bytesOut: number;
  /** Objects a slow viewer never got. */
  objectsDropped: number;
  groupsDropped: number;
};

export function newCounters(): RelayCounters {
  return {
    sessionsAccepted: 0,
    sessionsRefused: 0,
    faults: 0,
    objectsIn: 0,
    bytesIn: 0,
    objectsOut: 0,
    bytesOut: 0,
    objectsDropped: 0,
    groupsDropped: 0,
  };
}
