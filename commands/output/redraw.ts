import type { Terminal } from './terminal.ts';

export type Redraw = {
  /** What is written to it is held back until `show`. */
  readonly terminal: Terminal;
  /** Shows what was written since the last time, in the place of what was shown then; nothing when it is the same. */
  show(): void;
};

/** For `--watch`: on a terminal the picture is replaced, elsewhere it is printed again when it has changed. */
export function redraw(terminal: Terminal): Redraw {
  let written = '';
  let shown: string | undefined;
  return {
    terminal: Object.create(terminal, {
      out: {
        value: (text: string) => {
          written += text;
        },
      },
    }) as Terminal,
    show() {
      const text = written;
      written = '';
      if (text === shown) return;
      const lines = (shown ?? '').split('\n').length - 1;
      terminal.out(`${terminal.outIsTty && lines > 0 ? `\x1b[${lines}A\r\x1b[J` : ''}${text}`);
      shown = text;
    },
  };
}
