import type { InputWithKey } from '../connection/api-client.ts';
import { keepSecrets, type SecretFiles } from '../options/secret-file.ts';
import type { Result } from '../output/output.ts';
import { inputFields, inputJson } from './shape.ts';

/** Of the addresses of an input. */
export const urlLabels: Record<string, string> = {
  rtmp: 'RTMP URL',
  rtmps: 'RTMPS URL',
  rtmpServer: 'OBS server',
  rtmpStreamKey: 'OBS key',
  srt: 'SRT URL',
  srtPassphrase: 'SRT passphrase',
  whip: 'WHIP URL',
  fmp4: 'fMP4 URL',
  moqt: 'MoQT URL',
};

/** An input together with its key, as create and rotate show it; or with the files that hold the key now. */
export async function inputWithKey(input: InputWithKey, files: SecretFiles): Promise<Result & { saved: boolean }> {
  const { stream_key_cleartext: streamKey, urls = {}, addresses } = input;
  const savedTo = await keepSecrets(files, streamKey, {
    STREAMS_INPUT_ID: input.id,
    STREAMS_STREAM_KEY: streamKey,
    ...(urls.rtmp === undefined ? {} : { STREAMS_RTMP_URL: urls.rtmp }),
    ...(urls.srt === undefined ? {} : { STREAMS_SRT_URL: urls.srt }),
  });
  if (savedTo.length > 0) {
    return {
      saved: true,
      json: { type: 'input', input: inputJson(input), savedTo },
      blocks: [inputFields(input), { kind: 'fields', rows: [['Key kept in', savedTo.join(', ')]] }],
    };
  }
  return {
    saved: false,
    json: {
      type: 'input',
      input: inputJson(input),
      streamKey,
      urls,
      ...(addresses === undefined ? {} : { addresses }),
    },
    blocks: [
      inputFields(input),
      {
        kind: 'fields',
        rows: [
          ['Stream key', streamKey],
          ...Object.entries(urls).map(([name, url]) => [urlLabels[name] ?? name, url] as const),
        ],
      },
    ],
  };
}
