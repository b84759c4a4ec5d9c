/** Options that every command takes. */
export type GlobalOptions = {
  apiUrl?: string | undefined;
  apiKey?: string | undefined;
  profile?: string | undefined;
  json: boolean;
  /** Path of what to print, in place of the whole. */
  field?: string | undefined;
  quiet?: boolean | undefined;
};
