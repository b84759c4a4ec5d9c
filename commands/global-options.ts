/** Options that every command takes. */
export type GlobalOptions = {
  apiUrl?: string | undefined;
  apiKey?: string | undefined;
  profile?: string | undefined;
  json: boolean;
};
