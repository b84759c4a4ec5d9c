/**
 * In which order what waits on a connection leaves: the one table of it (draft-18 7.2). A stream has its place from the moment it
 * exists, also the answering half of one that the peer opened: on a line that is full, what has none goes last of all.
 *
 * What runs the connection goes before requests and answers, these before all objects, and objects by subscriber and publisher
 * priority (`session/stream-priority.ts`): catalog, sound, pictures from the smallest rendition up, what was fetched.
 */

/** Transport priorities: higher is sent first, within 31 bits. Objects have 0 … `topObject`. */
export const transportPriorities = {
  /** HTTP/3 SETTINGS and CONNECT, SETUP, GOAWAY, and the one control stream of drafts up to 16. */
  control: 2 ** 31 - 1,
  /** Requests and their answers, whoever opened the stream. */
  request: 2 ** 31 - 2,
  topObject: 2 ** 30 - 1,
  /** What nobody waits for: the end of a fill that was refused, and padding. */
  last: -1,
} as const;

/** Publisher and subscriber priorities of objects, 0 … 255: 0 is most urgent. An init segment travels with what it belongs to. */
export const objectPriorities = {
  catalog: 0,
  /** A stalled picture hurts less than broken sound. */
  audio: 1,
  /** Of the smallest picture, and the first of a viewer's own. Larger ones follow: see `pictureOf`. */
  video: 2,
  /** What says nothing of itself (draft-18 5.1.2 has it as the default), and the objects of a FETCH beside live ones. */
  unsaid: 128,
} as const;

/** Heights up to which a picture is more urgent than the next larger one: the smallest that is watched is the last to be lost. */
const heights = [144, 240, 360, 480, 720, 1080, 1440, 2160];

/** Publisher priority of a picture of so many lines; of one whose size is not known as of the largest. */
export function pictureOf(height: number | undefined): number {
  const rank = height === undefined ? -1 : heights.findIndex((most) => height <= most);
  return objectPriorities.video + (rank < 0 ? heights.length : rank);
}
