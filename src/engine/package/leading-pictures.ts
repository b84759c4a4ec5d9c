import type { VideoUnit } from '../../core/media-unit.ts';

/**
 * Pictures that come behind the first keyframe and are shown before it: they refer to what came before that keyframe, so at the
 * beginning of a stream nobody can decode them (ITU-T H.265 3.119 RASL; H.264 D.2.8 recovery point).
 */
export class LeadingPictures {
  /** Presentation of the keyframe, until the first picture behind it that is shown after it. */
  #keyframe: number | undefined;

  /** A stream begins with this keyframe. */
  begin({ pts, timescale }: VideoUnit): void {
    this.#keyframe = pts / timescale;
  }

  /** Whether it is to be left out. Asked in decode order. */
  has({ pts, timescale, keyframe }: VideoUnit): boolean {
    if (this.#keyframe === undefined || keyframe) return false;
    if (pts / timescale < this.#keyframe) return true;
    this.#keyframe = undefined;
    return false;
  }
}
