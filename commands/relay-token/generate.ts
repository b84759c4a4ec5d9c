import { StreamsError } from '../../src/core/errors.ts';
import { createRelayKey, type KeyPlace, relayAlgorithms } from '../../src/serve/relay-token.ts';
import type { Run } from '../command.ts';
import type { generateSpec } from './specs.ts';

export const run: Run<typeof generateSpec> = async ({ options, output }) => {
  const { id, root = '', publish = [], subscribe = [] } = options;
  const wanted = options.algorithm ?? 'HS256';
  const algorithm = relayAlgorithms.find((known) => known === wanted);
  if (algorithm === undefined) {
    throw new StreamsError('USAGE', `there is no algorithm ${wanted}`, { hint: relayAlgorithms.join(', ') });
  }
  const to = placeOf(options.out, options.outDir, '--out', '--out-dir');
  const publicTo = placeOf(options.public, options.publicDir, '--public', '--public-dir');
  if (root !== '' && publish.length + subscribe.length === 0) {
    throw new StreamsError('USAGE', '--root alone limits nothing', {
      hint: `--root ${root} --publish "" --subscribe ""`,
    });
  }
  const made = await createRelayKey({
    algorithm,
    ...(id !== undefined && { kid: id }),
    ...(publish.length + subscribe.length > 0 && { scope: { root, publish, subscribe } }),
    ...(to !== undefined && { to }),
    ...(publicTo !== undefined && { publicTo }),
    replace: options.force === true,
  });
  const { kid, keyFile, publicFile } = made;
  await output.result({
    json: {
      type: 'relay-key',
      kid,
      algorithm,
      ...(keyFile === undefined ? { key: JSON.parse(made.key) } : { keyFile }),
      ...(publicFile !== undefined && { publicFile }),
    },
    blocks:
      keyFile === undefined
        ? [{ kind: 'text', text: made.key.trimEnd() }]
        : [
            {
              kind: 'fields',
              rows: [
                ['Key id', kid],
                ['Key file', keyFile],
                ...(publicFile === undefined ? [] : [['Public half', publicFile] as const]),
              ],
            },
          ],
  });
  if (keyFile !== undefined) output.next([`streams relay-token sign --key ${keyFile} --subscribe "" --expires 1h`]);
};

function placeOf(
  file: string | undefined,
  folder: string | undefined,
  fileFlag: string,
  folderFlag: string,
): KeyPlace | undefined {
  if (file !== undefined && folder !== undefined) {
    throw new StreamsError('USAGE', `${fileFlag} and ${folderFlag} both say where`, { hint: 'give one of them' });
  }
  if (file !== undefined) return { file };
  return folder === undefined ? undefined : { folder };
}
