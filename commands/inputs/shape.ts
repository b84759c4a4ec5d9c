import type { Input } from '../api-client.ts';
import type { Block } from '../output/output.ts';

/** An input in the documented `--json` form. */
export function inputJson({ id, name, ingest, status, createdAt, enabled, external_input_id: externalId }: Input) {
  return {
    id,
    name,
    ingest,
    status,
    ...(typeof enabled === 'boolean' ? { enabled } : {}),
    createdAt,
    ...(typeof externalId === 'string' ? { externalId } : {}),
  };
}

export function inputFields(input: Input): Block {
  return {
    kind: 'fields',
    rows: [
      ['Input', input.id],
      ['Name', input.name],
      ['Ingest', input.ingest],
      ['Status', input.enabled === false ? `${input.status}, disabled` : input.status],
      ['Created', input.createdAt],
    ],
  };
}
