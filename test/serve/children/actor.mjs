// A child process for the supervisor's tests: does what its configuration says.
import { appendFileSync } from 'node:fs';

process.on('disconnect', () => process.exit(1));
process.on('SIGINT', () => {});
const [name, journal] = process.argv.slice(2);
const note = (text) => appendFileSync(journal, `${name} ${text}\n`);
let deaf = false;

process.on('message', (message) => {
  if (message.type === 'config') {
    const { fatal, crash, silent, port, deaf: isDeaf } = message.config;
    note(`config ${port}`);
    deaf = isDeaf === true;
    if (crash) {
      process.stderr.write('first line\nwhat went wrong\n', () => process.exit(7));
      return;
    }
    if (fatal) {
      process.send({ type: 'fatal', error: fatal }, () => process.exit(1));
      return;
    }
    process.stdout.write(`{"level":"warn","message":"hello","port":${port}}\nplain words\n`);
    if (!silent) process.send({ type: 'ready', ready: { port: port === 0 ? 1000 + (process.pid % 1000) : port } });
  } else if (message.type === 'call') {
    if (message.method === 'loop') {
      const end = Date.now() + message.params.ms;
      while (Date.now() < end);
      process.send({ type: 'answer', id: message.id, value: 'over' });
    } else if (message.method === 'fail') {
      process.send({ type: 'answer', id: message.id, error: { code: 'CONFLICT', message: 'no' } });
    } else if (message.method !== 'ignore')
      process.send({ type: 'answer', id: message.id, value: [message.method, message.params] });
  } else if (message.type === 'alive') {
    process.send({ type: 'alive' });
  } else if (message.type === 'stop' && !deaf) {
    note('stop');
    process.exit(0);
  }
});
