// Imports the package as its users do, watches the playback URL of its first argument by WebSocket, and prints what came.
import { BroadcastViewer } from 'streams';

const url = process.argv[2];
const counts = { video: 0, audio: 0 };
const viewer = new BroadcastViewer({
  url,
  onObject({ kind }) {
    counts[kind]++;
    if (counts.video >= 30 && counts.audio >= 30) void viewer.close();
  },
});
const { reason } = await viewer.ended;
console.log(JSON.stringify({ node: process.version, reason, ...counts }));
