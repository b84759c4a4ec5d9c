import { StreamsError } from '../../src/core/errors.ts';
import { addressesNote } from '../addresses-note.ts';
import type { Run } from '../command.ts';
import { prepareSecretFiles } from '../options/secret-file.ts';
import { inputWithKey } from './shown-once.ts';
import type { createSpec } from './specs.ts';

const kinds = [
  { value: 'rtmp', label: 'RTMP: OBS, ffmpeg and most encoders' },
  { value: 'srt', label: 'SRT: over lossy networks' },
  { value: 'whip', label: 'WHIP: a browser, or OBS over WebRTC' },
  { value: 'fmp4', label: 'fMP4: a packager pushes segments' },
];

export const run: Run<typeof createSpec> = async ({ options, output, api }) => {
  if (options.name === undefined && !output.interactive) {
    throw new StreamsError('USAGE', 'an input needs a name, and there is no terminal to ask on', {
      hint: `streams inputs create --name "my show" --ingest ${options.ingest ?? 'rtmp'}${output.json ? ' --json' : ''}`,
    });
  }
  const name =
    options.name ??
    (await output.prompt.text({
      message: 'Name of the input',
      placeholder: 'show',
      validate: (answer) => (answer.trim() === '' ? 'It needs a name' : undefined),
    }));
  // A user who gives the name knows the options, so nothing is asked.
  const ask = options.name === undefined && options.ingest === undefined;
  const ingest = ask
    ? await output.prompt.select({ message: 'How does the encoder push?', choices: kinds })
    : (options.ingest ?? 'rtmp');
  await prepareSecretFiles(options);
  const input = await (await api()).createInput({
    name,
    ingest,
    externalId: options.externalId,
    ladder: options.ladder,
    record: options.record,
  });
  const result = await inputWithKey(input, options);
  await output.result(result);
  if (result.saved) return;
  const note = addressesNote(input.addresses);
  if (note !== undefined) output.note(`\n${note}`);
  output.note('\nThe stream key is shown this once; `streams inputs rotate-key` makes a new one.');
  const { rtmp, srt, whip, fmp4 } = input.urls ?? {};
  output.next([
    ...(rtmp === undefined ? [] : [`ffmpeg -re -i some.mp4 -c copy -f flv "${rtmp}"`]),
    ...(srt === undefined ? [] : [`ffmpeg -re -i some.mp4 -c copy -f mpegts "${srt}"`]),
    ...(whip === undefined ? [] : [`OBS: Settings → Stream → WHIP, server ${whip}, bearer token: the stream key`]),
    ...(fmp4 === undefined
      ? []
      : [
          `ffmpeg -re -i some.mp4 -c copy -f mp4 -movflags frag_every_frame+empty_moov+default_base_moof -method POST -headers "Authorization: Bearer ${input.stream_key_cleartext}" "${fmp4}"`,
        ]),
    `streams playback mint ${input.id} --ttl 1h`,
  ]);
};
