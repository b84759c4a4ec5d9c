import type { CommandSpec } from '../command.ts';
import { certificateHashOption } from '../connection/certificate-hash.ts';
import { viewerVersionsOption } from '../options/versions.ts';

export const publishSpec = {
  path: ['publish'],
  summary: 'Publish fragmented MP4 to a live input over MoQT',
  examples: [
    'ffmpeg -re -i in.mp4 -c copy -f mp4 -movflags frag_every_frame+empty_moov+default_base_moof - | streams publish lv_… --key-file stream-key.txt',
    'streams publish lv_… fragmented.mp4 --key-file stream-key.txt',
  ],
  details:
    'The input must be of kind fmp4. The stream key is read from --key-file, or from STREAMS_STREAM_KEY; never from the command line. A file is sent as fast as it plays, what is piped in as it comes. A lost connection is taken up again.',
  args: {
    input: { description: 'id of the input (lv_…)', complete: 'inputs' },
    file: { description: 'fragmented MP4; standard input when left out or -', optional: true },
  },
  options: {
    keyFile: { value: 'file', description: 'holds the stream key; - is standard input, where the media is not' },
    realtime: { description: 'send what is piped in no faster than it plays, too' },
    relay: { value: 'url', description: "relay to publish to; by default that of the profile's server" },
    versions: viewerVersionsOption,
    certHash: certificateHashOption,
  },
} as const satisfies CommandSpec;
