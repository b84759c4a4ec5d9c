import { expect } from 'vitest';
import { establish } from '../../src/session/establish.ts';
import type { IncomingSubscribe, Publication, Session, SessionHandlers } from '../../src/session/types.ts';
import { connect } from '../../src/transport/connect.ts';
import { eventually } from '../relay/eventually.ts';
import { object } from '../relay/harness.ts';
import type { Node } from './cluster-nodes.ts';

export async function join(node: Node, handlers: SessionHandlers = {}): Promise<Session> {
  const transport = await connect(`moqt://${node.host}:${node.port}/`, {
    versions: ['moqt-18'],
    trust: { insecure: true },
  });
  return establish(transport, { role: 'client', path: '/', authority: node.host, handlers });
}

export type Source = { session: Session; requests: IncomingSubscribe[]; send(groupId: number): void };

/** Publishes a namespace; `send` sends a group of two objects on the newest subscription. */
export async function publish(node: Node, namespace: readonly string[]): Promise<Source> {
  const requests: IncomingSubscribe[] = [];
  const publications: Publication[] = [];
  const session = await join(node, {
    subscribe(request) {
      requests.push(request);
      publications.push(request.accept({ alias: requests.length }));
    },
  });
  await session.publishNamespace(namespace);
  const send = (groupId: number): void => {
    const header = { groupId, subgroupId: 0, priority: 9, endOfGroup: true, firstObject: true };
    const writer = publications.at(-1)!.openSubgroup(header);
    writer.write(object(groupId, 0, 2000));
    writer.write(object(groupId, 1, 2000));
    writer.finish();
  };
  return { session, requests, send };
}

/** Waits until `/announced` of each node says so. */
export async function listed(nodes: readonly Node[], expected: readonly string[], deadlineMs?: number): Promise<void> {
  await eventually(async () => {
    for (const node of nodes) {
      const lines = (await node.get('/announced/')).split('\n').filter((line) => line !== '');
      expect([node.name, lines]).toEqual([node.name, expected]);
    }
  }, deadlineMs);
}

/** Log lines of that message. */
export function said(node: Node, message: string): Record<string, unknown>[] {
  return node.lines.filter((line) => line.message === message);
}
