/** Where words go and who is there to answer. The process's own, or one in memory for tests. */
export interface Terminal {
  /** stdout: data. */
  out(text: string): void;
  /** stderr: talk. */
  err(text: string): void;
  readonly outIsTty: boolean;
  readonly errIsTty: boolean;
  /** Both ends are a person's terminal, so a question can be asked. */
  readonly interactive: boolean;
  readonly color: boolean;
  /** Columns of the terminal; Infinity where lines are never cut (pipes, files). */
  width(): number;
  readonly prompter: Prompter;
  /** stdin, for what is piped in. */
  readonly input: AsyncIterable<Uint8Array>;
}

/** Questions to a person. Each rejects with INTERRUPTED when the person presses Ctrl-C. */
export interface Prompter {
  text(question: {
    message: string;
    placeholder?: string;
    validate?(answer: string): string | undefined;
  }): Promise<string>;
  select(question: { message: string; choices: readonly { value: string; label: string }[] }): Promise<string>;
  /** As text, but what is typed is not shown. */
  password(question: { message: string }): Promise<string>;
  confirm(question: { message: string }): Promise<boolean>;
}
