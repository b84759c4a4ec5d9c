import { StreamsError, toStreamsError } from '../../src/core/errors.ts';
import type { Run } from '../command.ts';
import { resolveConnection } from '../profile.ts';
import { type Asset, assetJson, assetTable } from './asset.ts';
import type { uploadSpec } from './specs.ts';
import { FileOnDisk } from './upload/file-on-disk.ts';
import { openSource } from './upload/open-source.ts';
import { percent, uploadProgress } from './upload/progress.ts';
import { send } from './upload/send.ts';
import { unfinishedUploads } from './upload/unfinished.ts';
import { waitUntilReady } from './upload/wait-until-ready.ts';

const nobodyElse = { release: async () => undefined };

export const run: Run<typeof uploadSpec> = async (context) => {
  const { options, global, env, output, signal, api } = context;
  const connection = await resolveConnection(global, env);
  const source = await openSource(context, connection.apiUrl);
  const { media, filename, key } = source;
  const size = media instanceof FileOnDisk ? media.size : undefined;
  const unfinished = unfinishedUploads(env);
  // Where no lock can be kept (a home that is read-only), nothing is noted either.
  const alone = key === undefined ? nobodyElse : await unfinished.alone(key).catch(() => nobodyElse);
  if (alone === undefined) {
    if (media instanceof FileOnDisk) await media.end();
    throw new StreamsError('CONFLICT', `another command is uploading ${filename} to ${connection.apiUrl}`, {
      hint: 'streams assets list',
    });
  }
  const before = key === undefined ? undefined : await unfinished.find(key);
  const name = options.name ?? (filename || 'upload');
  const show = uploadProgress(output, before === undefined ? 'Uploading' : 'Going on', size);
  let sent = 0;
  let noted: Promise<void> = Promise.resolve();
  let url: string;
  try {
    url = await send({
      connection,
      source: media,
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
    await noted;
    if (key !== undefined) await unfinished.forget(key).catch(() => undefined);
  } catch (error) {
    await noted;
    if (toStreamsError(error).code === 'INTERRUPTED') {
      const at = size === undefined ? '' : ` at ${percent(sent, size)}`;
      if (key === undefined) output.note(`Stopped${at}. What is piped in cannot be taken up again.`);
      else output.note(`Stopped${at}. The same command again goes on from there.`);
    }
    throw error;
  } finally {
    await alone.release().catch(() => undefined);
  }
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
