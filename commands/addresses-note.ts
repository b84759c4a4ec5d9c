/** The name in the addresses that a server tells, and where it is from; see docs/serve.md. */
export type Addresses = { by: string; name: string };

const words: Record<string, (name: string) => string> = {
  setting: (name) => `Addresses go by ${name}, the server's --public-url.`,
  request: (name) => `Addresses go by ${name}, as you reach the server.`,
  certificate: (name) => `Addresses go by ${name}, the name in the server's certificate.`,
  machine: (name) =>
    `Addresses go by ${name}, an address of the server. Another name: streams serve --public-url <url>`,
};

/** Which name a server chose, in words; undefined where there was nothing to choose. */
export function addressesNote(addresses: Addresses | undefined): string | undefined {
  return addresses === undefined ? undefined : words[addresses.by]?.(addresses.name);
}
