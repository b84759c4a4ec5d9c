// Starts one child like the supervisor does, prints its pid, and waits to be killed.
import { spawn } from 'node:child_process';

const child = spawn(process.execPath, process.argv.slice(2), { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
child.send({ type: 'config', config: { port: 1 } });
child.on('message', () => process.stdout.write(`${child.pid}\n`));
