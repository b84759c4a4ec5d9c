import { expect, it } from 'vitest';
import { streamResetCodes } from '../../src/codec/moqt/codes.ts';
import { dialectOf } from '../../src/codec/moqt/dialects.ts';
import { describeVersions, header, obj, subscribed } from './helpers.ts';

describeVersions('a stream', (version) => {
  it('is reset with the code of the version, and read in words of draft-18', async () => {
    const { subscription, publication } = await subscribed();
    const writer = publication.openSubgroup(header(1));
    writer.write(obj(0, 'a'));
    const subgroup = (await subscription.nextSubgroup())!;
    await subgroup.next();
    writer.reset(streamResetCodes.deliveryTimeout);
    await expect(subgroup.next()).rejects.toMatchObject({ resetCode: streamResetCodes.deliveryTimeout });
  });

  it('never has a code that the version gives another meaning', () => {
    const codes = dialectOf(version)!.resetCodes;
    const known = { 'moq-00': [0, 1, 2, 3], 'moqt-16': [0, 1, 2, 3, 4, 0x12] }[version];
    if (known === undefined) expect(codes).toBeUndefined();
    else {
      for (const code of Object.values(streamResetCodes)) expect(known).toContain(codes!.toWire(code));
      for (const wire of [...known, 0x3f]) expect(Object.values(streamResetCodes)).toContain(codes!.fromWire(wire));
      expect(codes!.fromWire(codes!.toWire(streamResetCodes.malformedTrack))).toBe(version === 'moqt-16' ? 0x12 : 0);
      expect(codes!.fromWire(0x4)).toBe(version === 'moqt-16' ? streamResetCodes.unknownObjectStatus : 0);
    }
  });
});
