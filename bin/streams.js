#!/usr/bin/env node
const wanted = [20, 19];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
  process.stderr.write(`✖ streams needs Node ${wanted.join('.')} or newer, this is ${process.versions.node}\n`);
  process.exit(1);
}
const entry = new URL('../dist/commands/main.js', import.meta.url);
const { main } = await import(entry.href).catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND' || !String(error.message).includes('dist/commands/main.js')) throw error;
  process.stderr.write('✖ streams is not built yet\nTry: npm run build\n');
  process.exit(1);
});
await main(process.argv.slice(2));
