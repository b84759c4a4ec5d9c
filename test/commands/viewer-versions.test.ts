import { expect, it } from 'vitest';
import { nodeConnect } from '../../commands/watch/broadcast.ts';

it('--versions of watch and inspect names the nearest version when there is none of that name', () => {
  expect(() => nodeConnect(undefined, ['mopt-18'])).toThrow('did you mean moqt-18?');
  expect(() => nodeConnect(undefined, ['moq-lite-05'])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  expect(nodeConnect(undefined, ['moqt-18,moqt-14'])).toBeTypeOf('function');
});
