// Loaded before the gateway in a child process that is to crash: throws what stands in DREAD, as badly as code can.
process.on('SIGUSR2', () => {
  const dread = process.env['DREAD'] ?? '';
  const error = new TypeError(`cannot read ${dread} of undefined`, { cause: new Error(dread) });
  Object.assign(error, { detail: `Failing row contains (${dread}).`, rows: [{ value: dread }] });
  if (process.env['DREAD_HOW'] === 'rejected') void Promise.reject(error);
  else throw error;
});
