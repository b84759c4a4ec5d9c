/** Options that every command takes. */
export type GlobalOptions = {
  apiUrl?: string | undefined;
  apiKey?: string | undefined;
  profile?: string | undefined;
  /** PEM file of certificates that are trusted beside those of the machine. */
  caFile?: string | undefined;
  json: boolean;
  /** Path of what to print, in place of the whole. */
  field?: string | undefined;
  quiet?: boolean | undefined;
};
