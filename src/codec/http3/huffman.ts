import { http3Code } from './code-points.ts';
import { Http3Error } from './http3-error.ts';

/**
 * Huffman code of HPACK and QPACK (RFC 7541 appendix B). The code is canonical, so the lengths in bits of the 256 symbols
 * (EOS, the 257th, has 30 and comes last) say all of it.
 */
const lengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26,
];
const longest = 30;

/** Per length: the first code, how many follow, and the symbols in code order. */
const firstCode: number[] = [];
const symbols: number[][] = [];
for (let length = 0, code = 0; length <= longest; length++) {
  const ofLength: number[] = [];
  if (length > 0) for (let symbol = 0; symbol < 256; symbol++) if (lengths[symbol] === length) ofLength.push(symbol);
  firstCode.push(code);
  symbols.push(ofLength);
  code = (code + ofLength.length) * 2;
}

/** At most 8/5 of the bytes come out. Throws Http3Error QPACK_DECOMPRESSION_FAILED for EOS or wrong padding. */
export function decodeHuffman(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.floor((bytes.length * 8) / 5));
  let written = 0;
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      const index = code - firstCode[length]!;
      const symbol = index >= 0 ? symbols[length]![index] : undefined;
      if (symbol !== undefined) {
        out[written++] = symbol;
        code = 0;
        length = 0;
      } else if (length === longest)
        throw new Http3Error(http3Code.qpackDecompressionFailed, 'EOS in a Huffman string');
    }
  }
  // RFC 7541 5.2: padding is the start of EOS (all ones), shorter than a byte.
  if (length > 7 || code !== (1 << length) - 1) {
    throw new Http3Error(http3Code.qpackDecompressionFailed, 'wrong padding of a Huffman string');
  }
  return out.subarray(0, written);
}
