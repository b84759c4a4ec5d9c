import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FlvTag } from '../../../codec/flv/flv-reader.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { MediaUnit } from '../../../core/media-unit.ts';
import { findFfmpeg } from '../../transcode/find-ffmpeg.ts';
import { RtmpToUnits } from '../rtmp/to-units.ts';
import { playFlvLoop } from './flv-loop.ts';
import { playTestPicture } from './test-picture.ts';

export type DemoSourceOptions = {
  /** FLV file to loop; default the one we ship. When given, ffmpeg is not used. */
  file?: string;
  /** ffmpeg to use; default as `findFfmpeg` finds it. '' : none. */
  ffmpeg?: string;
  push(unit: MediaUnit): void;
  logger: Logger;
};

/**
 * A picture that is always there: ffmpeg's test picture with a running clock where ffmpeg is, else (or when it fails) a
 * short file in a loop. Returns how to stop. Rejects with NO_MEDIA when there is no file.
 */
export async function startDemoSource(options: DemoSourceOptions): Promise<() => void> {
  const { logger, push } = options;
  const path = options.file ?? demoFile();
  const file = path === undefined ? undefined : await readFile(path).catch(() => undefined);
  if (file === undefined) throw new StreamsError('NO_MEDIA', 'the demo file is missing');
  const ffmpeg = options.file === undefined ? (options.ffmpeg ?? findFfmpeg() ?? '') : '';
  let stop: () => void = () => {};
  let stopped = false;

  const units = new RtmpToUnits();
  const emit = (tag: FlvTag): void => {
    if (tag.type === 'data') return;
    const unit = units.unit(tag.type, tag.timestamp, tag.body, Date.now());
    if (unit !== undefined) push(unit);
  };
  const loop = (): void => {
    stop = playFlvLoop(file, emit);
  };
  // The clock needs a font, which not every ffmpeg finds: then the bare picture, then the file.
  const picture = (withClock: boolean): void => {
    stop = playTestPicture(ffmpeg, withClock, {
      tag: emit,
      ended: (lastWords) => {
        if (stopped) return;
        logger.warn('ffmpeg gave up on the test picture', { lastWords });
        if (withClock) picture(false);
        else loop();
      },
    });
  };
  if (ffmpeg === '') loop();
  else picture(true);
  return () => {
    stopped = true;
    stop();
  };
}

/** The shipped file, from the sources as from the built tree. */
function demoFile(): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let i = 0; i < 7; i++, folder = dirname(folder)) {
    const path = join(folder, 'fixtures', 'media', 'demo.flv');
    if (existsSync(path)) return path;
  }
  return undefined;
}
