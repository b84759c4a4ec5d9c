import type { StreamsError } from '../src/core/errors.ts';

/**
 * The error as a workflow command of GitHub Actions, which puts it on the page of the run. Escaped as its toolkit does:
 * newlines would end the command, colons and commas its title.
 */
export function annotation({ code, message, hint }: StreamsError): string {
  const title = property(`streams: ${code}`);
  return `::error title=${title}::${data(hint === undefined ? message : `${message}\nTry: ${hint}`)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
