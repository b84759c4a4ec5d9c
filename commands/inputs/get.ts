import { addressesNote } from '../addresses-note.ts';
import type { Run } from '../command.ts';
import type { InputWithUrls } from '../connection/api-client.ts';
import type { Block } from '../output/output.ts';
import { ingestBlocks } from './ingest-figures.ts';
import { hasLadder, inputFields, inputJson } from './shape.ts';
import { urlLabels } from './shown-once.ts';
import type { getSpec } from './specs.ts';

type Status = { stats: Record<string, unknown> | null; error: string | null };

export const run: Run<typeof getSpec> = async ({ args, output, api }) => {
  const client = await api();
  const input = await client.getInput(args.id);
  // What there is to say of an ingest is said while it is on air, and of its end when that was a bad one.
  const known =
    input.status === 'idle' ? undefined : await client.request<Status>('GET', `/v1/live-inputs/${input.id}/status`);
  const stats = input.status === 'live' ? (known?.stats ?? undefined) : undefined;
  const said = hasLadder(input) && typeof stats?.renditions === 'string' ? stats.renditions : undefined;
  const error = known?.error ?? undefined;
  await output.result({
    json: {
      type: 'input',
      input: {
        ...inputJson(input),
        ...(said === undefined ? {} : { renditions: said }),
        ...(stats === undefined ? {} : { stats }),
        ...(error === undefined ? {} : { error }),
      },
      ...(input.urls === undefined ? {} : { urls: input.urls }),
      ...(input.addresses === undefined ? {} : { addresses: input.addresses }),
    },
    blocks: [inputFields(input, said), ...urlBlocks(input), ...ingestBlocks(stats, error)],
  });
  const note = input.urls && addressesNote(input.addresses);
  if (note !== undefined) output.note(`\n${note}`);
};

/** Its key is not known any more: what is to be put there is said. */
function urlBlocks({ ingest, urls = {} }: InputWithUrls): Block[] {
  const rows = Object.entries(urls).map(([name, url]) => [urlLabels[name] ?? name, url] as const);
  if (rows.length === 0) return [];
  const where = {
    rtmp: '?sk=<stream key> at the end',
    srt: '&passphrase=<SRT passphrase>&pbkeylen=32 at the end',
    fmp4: 'the stream key as bearer token; ?sk=<stream key> at the end of a MoQT URL',
  }[ingest];
  return [{ kind: 'fields', rows: [...rows, ['Key', where ?? 'the stream key as bearer token']] }];
}
