import { expect, it } from 'vitest';
import { assetEvents, assetStates, nextAsset } from '../../src/contract/asset-state.ts';

/** A column for each event, in the order of `assetEvents`; `-`: it cannot happen. */
const table = `
            | received recorded begun      interrupted packaged failed  retried
  uploading | queued   ready    -          -           -        errored -
  queued    | -        -        processing -           -        errored -
  processing| -        -        -          queued      ready    errored -
  ready     | -        -        -          -           -        -       -
  errored   | -        -        -          -           -        -       queued
`;

it('leads an asset from state to state', () => {
  const rows = assetStates.map((state) => [state, ...assetEvents.map((event) => nextAsset(state, event) ?? '-')]);
  const [head, ...lines] = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((part) => part.trim().split(/\s+/)));
  expect(head!.flat().filter((word) => word !== '')).toEqual([...assetEvents]);
  expect(rows).toEqual(lines.map((line) => line.flat()));
});
