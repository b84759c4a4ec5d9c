// Takes and gives back a lock as its parent says: argv is the module with lockDataDir, and the folder.
const [module, dir] = process.argv.slice(2);
const { lockDataDir } = await import(module);
process.on('disconnect', () => process.exit(0));
let lock;
process.on('message', async (message) => {
  if (message === 'take') {
    lock = await lockDataDir(dir, 'control').catch((error) => error);
    process.send({ won: typeof lock.release === 'function', code: lock.code });
  } else {
    await lock.release?.();
    process.send({ released: true });
  }
});
process.send({ booted: true });
