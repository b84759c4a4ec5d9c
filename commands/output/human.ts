import type { Output } from './output.ts';
import { printable, printableQuestions } from './printable.ts';
import { styles } from './styles.ts';
import { renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** For a person: tables, colours where the terminal has them, a picture that is redrawn in place. `quiet`: no talk but errors. */
export function humanOutput(terminal: Terminal, { quiet = false }: { quiet?: boolean | undefined } = {}): Output {
  const style = styles(terminal.color);
  let drawn = 0;
  /** Leaves the last picture where it is; what follows goes below it. */
  const settle = () => {
    drawn = 0;
  };
  /** A line of progress stands on the terminal. */
  let moving = false;
  const clear = () => {
    if (moving) terminal.err('\r\x1b[K');
    moving = false;
  };
  const tell = (text: string) => {
    settle();
    clear();
    terminal.err(`${text}\n`);
  };
  const err = (text: string) => {
    if (!quiet) tell(text);
  };
  return {
    json: false,
    interactive: terminal.interactive,
    async result({ blocks }) {
      settle();
      clear();
      for (const block of blocks) {
        if (block.kind === 'text') terminal.out(`${printable(block.text)}\n`);
        else if (block.kind === 'fields') {
          const width = Math.max(...block.rows.map(([label]) => label.length));
          for (const [label, value] of block.rows)
            terminal.out(`${style.dim(printable(label.padEnd(width)))}  ${printable(value)}\n`);
        } else if (block.rows.length === 0) err(block.empty);
        else {
          const rows = block.rows.map((row) => row.map(printable));
          terminal.out(`${await renderTable({ columns: block.columns, rows }, terminal.width(), style)}\n`);
        }
      }
    },
    event({ line, data }) {
      if (line === undefined) return;
      if (!data) return err(printable(line));
      settle();
      terminal.out(`${printable(line)}\n`);
    },
    live({ lines, line }) {
      if (!terminal.outIsTty) {
        terminal.out(`${printable(line)}\n`);
        return;
      }
      const width = terminal.width();
      const cut = lines.map(printable).map((text) => (text.length > width ? `${text.slice(0, width - 1)}…` : text));
      terminal.out(`${drawn > 0 ? `\x1b[${drawn}A\r\x1b[J` : ''}${cut.join('\n')}\n`);
      drawn = cut.length;
    },
    progress(said, milestone = false) {
      if (quiet) return;
      const line = printable(said);
      if (!terminal.errIsTty) {
        if (milestone) err(line);
        return;
      }
      const width = terminal.width();
      terminal.err(`\r${line.length >= width ? line.slice(0, width - 1) : line}\x1b[K`);
      moving = true;
    },
    note: (text) => err(printable(text)),
    warn: (text) => err(`${style.yellow('!')} ${printable(text)}`),
    next(commands) {
      err(`\n${style.dim('Next:')}`);
      for (const command of commands) err(`  ${style.bold(printable(command))}`);
    },
    error({ code, message, hint }) {
      tell(`${style.red('✖')} ${printable(message)} ${style.dim(`[${code}]`)}`);
      if (hint !== undefined) tell(`Try: ${printable(hint)}`);
    },
    plain: (text) => terminal.out(text),
    prompt: printableQuestions(terminal.prompter),
  };
}
