import type { Input } from '../connection/api-client.ts';
import type { Block } from '../output/output.ts';

/** An input in the documented `--json` form. */
export function inputJson({
  id,
  name,
  ingest,
  status,
  createdAt,
  enabled,
  ladder,
  record,
  external_input_id: externalId,
}: Input) {
  return {
    id,
    name,
    ingest,
    status,
    ...(typeof enabled === 'boolean' ? { enabled } : {}),
    ...(typeof ladder === 'string' ? { ladder } : {}),
    ...(typeof record === 'boolean' ? { record } : {}),
    createdAt,
    ...(typeof externalId === 'string' ? { externalId } : {}),
  };
}

/** `renditions`: what the engine says of them, while the input is live. */
export function inputFields(input: Input, renditions?: string): Block {
  return {
    kind: 'fields',
    rows: [
      ['Input', input.id],
      ['Name', input.name],
      ['Ingest', input.ingest],
      ['Status', input.enabled === false ? `${input.status}, disabled` : input.status],
      ...(hasLadder(input) ? [['Ladder', input.ladder] as [string, string]] : []),
      ...(renditions === undefined ? [] : [['Renditions', renditions] as [string, string]]),
      ...(input.record === true ? [['Recorded', 'each broadcast becomes an asset'] as [string, string]] : []),
      ['Created', input.createdAt],
    ],
  };
}

/** Whether the input makes renditions beside its source. */
export function hasLadder(input: Input): input is Input & { ladder: string } {
  return typeof input.ladder === 'string' && input.ladder !== 'none';
}
