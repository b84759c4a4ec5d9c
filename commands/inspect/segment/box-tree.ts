import { type BoxHeader, readBoxHeader } from '../../../src/codec/cmaf/boxes.ts';

/** A box where it stands in the file, however broken what is around it. */
export type BoxNode = {
  readonly type: string;
  /** Offset in the file. */
  readonly start: number;
  /** As the header says; to the end of what holds it where it says 0. */
  readonly size: number;
  readonly headerLength: number;
  readonly children: readonly BoxNode[];
};

/** Where the bytes are not what they claim to be. */
export type Problem = { readonly at: number; readonly message: string };

export type BoxTree = { readonly boxes: readonly BoxNode[]; readonly problems: readonly Problem[] };

/** Bytes between a container's header and its first child (ISO 14496-12; 14496-14 and -15 for sample entries). */
const containers: Record<string, number> = {
  ...Object.fromEntries(
    ['moov', 'trak', 'mdia', 'minf', 'stbl', 'dinf', 'edts', 'mvex', 'moof', 'traf', 'mfra', 'sinf', 'schi'].map(
      (type) => [type, 0],
    ),
  ),
  stsd: 8,
  dref: 8,
  ...Object.fromEntries(['avc1', 'avc3', 'hvc1', 'hev1', 'av01', 'vp09', 'encv'].map((type) => [type, 78])),
  ...Object.fromEntries(['mp4a', 'Opus', 'ac-3', 'ec-3', 'fLaC', 'enca'].map((type) => [type, 28])),
};

const maxDepth = 16;
const maxBoxes = 100_000;

/** Every box of a file, as far as it can be followed. Never throws: what is wrong is told by place. */
export function readBoxTree(file: Uint8Array): BoxTree {
  const problems: Problem[] = [];
  let count = 0;

  function level(start: number, end: number, depth: number, parent: string | undefined): BoxNode[] {
    const nodes: BoxNode[] = [];
    let at = start;
    while (at < end) {
      if (++count > maxBoxes) {
        if (count === maxBoxes + 1)
          problems.push({ at, message: `more than ${maxBoxes} boxes; the rest was not read` });
        return nodes;
      }
      const header = headerAt(at, end, parent);
      if (header === undefined) return nodes;
      const { type, headerLength } = header;
      const size = header.size === 0 ? end - at : header.size;
      const whole = at + size <= end;
      if (!whole) {
        problems.push(
          parent === undefined
            ? { at, message: `truncated: ${type} has ${size} bytes, the file ends after ${end - at} of them` }
            : { at, message: `${type} says it has ${size} bytes, but ${parent} around it has ${end - at} left` },
        );
      }
      const inside = containers[type];
      const first = at + headerLength + (inside ?? 0);
      const last = Math.min(at + size, end);
      const children =
        inside === undefined || depth === maxDepth || first > last ? [] : level(first, last, depth + 1, type);
      nodes.push({ type, start: at, size, headerLength, children });
      if (!whole) return nodes;
      at += size;
    }
    return nodes;
  }

  function headerAt(at: number, end: number, parent: string | undefined): BoxHeader | undefined {
    const left = file.subarray(at, end);
    try {
      const header = readBoxHeader(left);
      if (header !== null) return { ...header, type: printable(header.type) };
      const where = parent === undefined ? 'truncated: the file ends' : `${parent} ends`;
      problems.push({ at, message: `${where} inside a box header (${left.length} bytes)` });
    } catch (error) {
      problems.push({ at, message: (error as Error).message });
    }
    return undefined;
  }

  return { boxes: level(0, file.length, 0, undefined), problems };
}

/** All boxes of a type at or below `nodes`, in the order of the file. */
export function allOf(nodes: readonly BoxNode[], type: string): BoxNode[] {
  return nodes.flatMap((node) => [...(node.type === type ? [node] : []), ...allOf(node.children, type)]);
}

export function childOf(node: BoxNode, ...path: string[]): BoxNode | undefined {
  let at: BoxNode | undefined = node;
  for (const type of path) at = at?.children.find((child) => child.type === type);
  return at;
}

/** What follows the header, as far as it is there. */
export function payloadOf(file: Uint8Array, node: BoxNode): Uint8Array {
  return file.subarray(node.start + node.headerLength, node.start + node.size);
}

function printable(type: string): string {
  return type.replace(/[^\x20-\x7e]/g, '?');
}
