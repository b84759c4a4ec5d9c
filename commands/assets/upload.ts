import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { StreamsError, toStreamsError } from '../../src/core/errors.ts';
import type { CommandContext, Run } from '../command.ts';
import { resolveConnection } from '../profile.ts';
import { type Asset, assetJson, assetTable } from './asset.ts';
import type { uploadSpec } from './specs.ts';
import { percent, uploadProgress } from './upload/progress.ts';
import { send } from './upload/send.ts';
import { unfinishedUploads } from './upload/unfinished.ts';
import { waitUntilReady } from './upload/wait-until-ready.ts';

type Source = { stream: Readable; size: number | undefined; filename: string; key: string | undefined };

export const run: Run<typeof uploadSpec> = async (context) => {
  const { options, global, env, output, signal, api } = context;
  const connection = await resolveConnection(global, env);
  const source = await openSource(context, connection.apiUrl);
  const { size, filename, key } = source;
  const unfinished = unfinishedUploads(env);
  const before = key === undefined ? undefined : await unfinished.find(key);
  const name = options.name ?? (filename || 'upload');
  const show = uploadProgress(output, before === undefined ? 'Uploading' : 'Going on', size);
  let sent = 0;
  let noted: Promise<void> = Promise.resolve();
  let url: string;
  try {
    url = await send({
      connection,
      source: source.stream,
      size,
      metadata: { filename, name, ...(options.asset !== undefined && { asset: options.asset }) },
      uploadUrl: before,
      begun(begunUrl) {
        if (key !== undefined && begunUrl !== before) noted = unfinished.keep(key, begunUrl).catch(() => undefined);
      },
      progress(bytes) {
        sent = bytes;
        show(bytes);
      },
      signal,
    });
  } catch (error) {
    await noted;
    if (toStreamsError(error).code === 'INTERRUPTED') {
      const at = size === undefined ? '' : ` at ${percent(sent, size)}`;
      if (key === undefined) output.note(`Stopped${at}. What is piped in cannot be taken up again.`);
      else output.note(`Stopped${at}. The same command again goes on from there.`);
    }
    throw error;
  }
  await noted;
  if (key !== undefined) await unfinished.forget(key);
  const id = /as_[0-9A-Za-z]{22}(?=$|[?#])/.exec(url)?.[0];
  if (id === undefined) throw new StreamsError('INTERNAL', 'the server did not name the asset');
  const client = await api();
  const read = () => client.request<Asset>('GET', `/v1/assets/${id}`);
  if (!options.wait) {
    const asset = await read();
    await output.result({ json: { type: 'asset', asset: assetJson(asset) }, blocks: [assetTable([asset])] });
    output.next([`streams assets get ${id} --watch`, `streams playback mint ${id}`]);
    return;
  }
  let told = '';
  const asset = await waitUntilReady(client, id, {
    timeoutMs: options.timeout ?? 3_600_000,
    signal,
    changed({ status, percent: done }) {
      const line =
        status === 'processing' ? `Packaging ${done} %` : status === 'queued' ? 'Waiting to be packaged' : '';
      if (line !== '' && line !== told) output.progress(line, told === '');
      told = line;
    },
  });
  await output.result({ json: { type: 'asset', asset: assetJson(asset) }, blocks: [assetTable([asset])] });
  output.next([`streams playback mint ${id}`]);
};

async function openSource(
  { args, options, stdin, output }: CommandContext<typeof uploadSpec>,
  apiUrl: string,
): Promise<Source> {
  if (args.file === '-') {
    if (output.interactive)
      throw new StreamsError('USAGE', 'nothing is piped in', { hint: 'cat film.mp4 | streams assets upload -' });
    return {
      stream: Readable.from(stdin, { objectMode: false }),
      size: undefined,
      filename: options.name ?? 'stdin',
      key: undefined,
    };
  }
  try {
    const path = await realpath(args.file);
    const { size, mtimeMs, isFile } = await stat(path).then((found) => ({
      size: found.size,
      mtimeMs: found.mtimeMs,
      isFile: found.isFile(),
    }));
    if (!isFile) throw new StreamsError('USAGE', `${args.file} is not a file`);
    // Another file, or the same one changed, is another upload.
    const identity = [path, size, mtimeMs, apiUrl, options.asset ?? ''].join('\n');
    const key = createHash('sha256').update(identity).digest('hex');
    return { stream: createReadStream(path), size, filename: basename(path), key };
  } catch (error) {
    if (error instanceof StreamsError) throw error;
    throw new StreamsError('USAGE', `cannot read ${args.file}: ${(error as Error).message}`, { cause: error });
  }
}
