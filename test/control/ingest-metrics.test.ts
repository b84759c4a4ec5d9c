import { expect, it } from 'vitest';
import { serviceToken, startTestControl } from './helpers.ts';

it('what the engine measures of an SRT ingest is in the status of the input and in the metrics', async () => {
  await using test = await startTestControl();
  const { id } = (await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest: 'srt' } })).body;
  const stats = { missingPackets: 40, retransmittedPackets: 38, lostPackets: 2, retransmitRequests: 45, rttMs: 12.5 };
  const body = { engineId: 'eng_1', live: [{ inputId: id, stats }] };
  await test.call('POST', '/internal/engine/heartbeat', { key: serviceToken, body });
  expect((await test.call('GET', `/v1/live-inputs/${id}/status`)).body.stats).toEqual(stats);
  const metrics = (await test.call('GET', '/metrics')).body as string;
  const line = (name: string, value: number) => `streams_ingest_${name}{input="${id}"} ${value}`;
  expect(metrics.split('\n')).toEqual(
    expect.arrayContaining([
      line('missing_packets_total', 40),
      line('retransmitted_packets_total', 38),
      line('lost_packets_total', 2),
      line('retransmit_requests_total', 45),
      line('rtt_ms', 12.5),
    ]),
  );
});
