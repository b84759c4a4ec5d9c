import { ByteReader, ByteWriter, fromUtf8, utf8 } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** A value of AMF0 (Action Message Format, 2006). Dates are ms since the Unix epoch; references and typed objects become plain ones. */
export type AmfValue = number | boolean | string | null | undefined | AmfValue[] | { [key: string]: AmfValue };

const maxDepth = 16;
const maxValues = 4096;

/** All values in `bytes`. At most 4096 values, 16 levels deep. Throws MALFORMED, LIMIT_EXCEEDED. */
export function decodeAmf0(bytes: Uint8Array): AmfValue[] {
  const reader = new ByteReader(bytes);
  const budget = { left: maxValues };
  const values: AmfValue[] = [];
  while (reader.remaining > 0) values.push(decodeValue(reader, 0, budget));
  return values;
}

export function encodeAmf0(...values: AmfValue[]): Uint8Array {
  const writer = new ByteWriter(256);
  for (const value of values) encodeValue(writer, value, 0);
  return writer.finish();
}

function decodeValue(reader: ByteReader, depth: number, budget: { left: number }): AmfValue {
  if (depth > maxDepth) throw new StreamsError('LIMIT_EXCEEDED', 'AMF0 nested too deeply');
  if (budget.left-- === 0) throw new StreamsError('LIMIT_EXCEEDED', 'AMF0 with too many values');
  const marker = reader.u8();
  switch (marker) {
    case 0x00:
      return reader.f64();
    case 0x01:
      return reader.u8() !== 0;
    case 0x02:
      return fromUtf8(reader.take(reader.u16()));
    case 0x03:
      return decodeProperties(reader, depth, budget);
    case 0x05:
      return null;
    case 0x06:
    case 0x0d:
      return undefined;
    case 0x07:
      reader.u16();
      return null;
    case 0x08:
      reader.u32();
      return decodeProperties(reader, depth, budget);
    case 0x0a: {
      const count = reader.u32();
      if (count > reader.remaining) throw new StreamsError('MALFORMED', 'AMF0 array longer than its message');
      const items: AmfValue[] = [];
      for (let i = 0; i < count; i++) items.push(decodeValue(reader, depth + 1, budget));
      return items;
    }
    case 0x0b: {
      const millis = reader.f64();
      reader.u16();
      return millis;
    }
    case 0x0c:
    case 0x0f:
      return fromUtf8(reader.take(reader.u32()));
    case 0x10:
      reader.take(reader.u16());
      return decodeProperties(reader, depth, budget);
    default:
      throw new StreamsError('MALFORMED', `AMF0 marker ${marker}`);
  }
}

function decodeProperties(reader: ByteReader, depth: number, budget: { left: number }): { [key: string]: AmfValue } {
  const entries: [string, AmfValue][] = [];
  for (;;) {
    const key = fromUtf8(reader.take(reader.u16()));
    if (key === '' && reader.remaining > 0 && reader.bytes[reader.offset] === 0x09) {
      reader.u8();
      // fromEntries defines own properties, so a key named __proto__ is only a key.
      return Object.fromEntries(entries);
    }
    entries.push([key, decodeValue(reader, depth + 1, budget)]);
  }
}

function encodeValue(writer: ByteWriter, value: AmfValue, depth: number): void {
  if (depth > maxDepth) throw new StreamsError('LIMIT_EXCEEDED', 'AMF0 nested too deeply');
  if (typeof value === 'number') writer.u8(0x00).f64(value);
  else if (typeof value === 'boolean') writer.u8(0x01).u8(value ? 1 : 0);
  else if (typeof value === 'string') encodeString(writer, value);
  else if (value === null) writer.u8(0x05);
  else if (value === undefined) writer.u8(0x06);
  else if (Array.isArray(value)) {
    writer.u8(0x0a).u32(value.length);
    for (const item of value) encodeValue(writer, item, depth + 1);
  } else {
    writer.u8(0x03);
    for (const [key, item] of Object.entries(value)) {
      const name = utf8(key);
      writer.u16(name.length).bytes(name);
      encodeValue(writer, item, depth + 1);
    }
    writer.u16(0).u8(0x09);
  }
}

function encodeString(writer: ByteWriter, value: string): void {
  const bytes = utf8(value);
  if (bytes.length > 0xffff) writer.u8(0x0c).u32(bytes.length).bytes(bytes);
  else writer.u8(0x02).u16(bytes.length).bytes(bytes);
}
