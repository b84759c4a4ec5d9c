import { StreamsError } from '../../core/errors.ts';

const pattern = /([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s][^",]*)(,|$)/y;

/**
 * An attribute list (rfc8216bis 4.2), read by name. Values are checked against the form their name asks for: every getter
 * throws MALFORMED when its attribute is there in another form, and the `need` ones when it is missing.
 */
export class Attributes {
  readonly #tag: string;
  readonly #values = new Map<string, string>();

  constructor(tag: string, text: string) {
    this.#tag = tag;
    pattern.lastIndex = 0;
    while (pattern.lastIndex < text.length) {
      const match = pattern.exec(text);
      if (match === null || (match[3] === ',' && pattern.lastIndex === text.length))
        throw this.#malformed('is not an attribute list');
      if (this.#values.has(match[1]!)) throw this.#malformed(`has ${match[1]} twice`);
      this.#values.set(match[1]!, match[2]!);
    }
  }

  integer(name: string): number | undefined {
    return this.#read(name, /^\d{1,16}$/, Number);
  }

  decimal(name: string): number | undefined {
    return this.#read(name, /^\d+(\.\d+)?$/, Number);
  }

  string(name: string): string | undefined {
    return this.#read(name, /^"[^"]*"$/, (text) => text.slice(1, -1));
  }

  word(name: string): string | undefined {
    return this.#read(name, /^[^"\s,]+$/, (text) => text);
  }

  /** `YES` or, where it is left out or `NO`, false. */
  flag(name: string): boolean {
    return this.#read(name, /^(YES|NO)$/, (text) => text === 'YES') ?? false;
  }

  needInteger(name: string): number {
    return this.#need(name, this.integer(name));
  }

  needDecimal(name: string): number {
    return this.#need(name, this.decimal(name));
  }

  needString(name: string): string {
    return this.#need(name, this.string(name));
  }

  #need<T>(name: string, value: T | undefined): T {
    if (value === undefined) throw this.#malformed(`has no ${name}`);
    return value;
  }

  #read<T>(name: string, form: RegExp, convert: (text: string) => T): T | undefined {
    const text = this.#values.get(name);
    if (text === undefined) return undefined;
    if (!form.test(text)) throw this.#malformed(`has a ${name} of the wrong form`);
    return convert(text);
  }

  #malformed(what: string): StreamsError {
    return new StreamsError('MALFORMED', `${this.#tag} ${what}`);
  }
}
