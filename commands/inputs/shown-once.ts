import type { InputWithKey } from '../api-client.ts';
import type { Result } from '../output/output.ts';
import { inputFields, inputJson } from './shape.ts';

const labels: Record<string, string> = {
  rtmp: 'RTMP URL',
  rtmpServer: 'OBS server',
  rtmpStreamKey: 'OBS key',
  srt: 'SRT URL',
  fmp4: 'fMP4 URL',
};

/** An input together with its key, as create and rotate show it. */
export function inputWithKey(input: InputWithKey): Result {
  const urls = input.urls ?? {};
  return {
    json: { type: 'input', input: inputJson(input), streamKey: input.stream_key_cleartext, urls },
    blocks: [
      inputFields(input),
      {
        kind: 'fields',
        rows: [
          ['Stream key', input.stream_key_cleartext],
          ...Object.entries(urls).map(([name, url]) => [labels[name] ?? name, url] as const),
        ],
      },
    ],
  };
}
