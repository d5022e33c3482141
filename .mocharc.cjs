const { globSync } = require('node:fs');

/**
 * Two files run at a time (decision 312), taken in this order. A browser and what answers it keep more than a core busy; tests of faults
 * and of programs wait most of the time: each of those runs beside one of these. New files need no place here: they come last.
 */
const waiting = ['faults', 'cli', 'custodian', 'joint', 'scoring', 'flow', 'jobs'];

/** Seconds of the slow ones, roughly: they say only what stands beside what. */
const slow = {
  'console/pages': 90, 'console/compliance': 45, 'console/compliance-purposes': 40, 'console/objections': 40, 'console/enterprise': 35, 'console/bank': 35,
  'console/audit': 30, 'console/compliance-registry': 30, 'console/audit-tampering': 25, 'console/compliance-time': 20, 'console/interrupted': 20,
  'faults/score-jobs': 65, 'faults/kill': 65, 'faults/own-database': 55, 'faults/overload': 35, 'faults/database-gone': 20, 'faults/network': 15,
  'cli/docs': 45, 'cli/domain': 15, 'cli/joint-run': 15, 'flow/leaks': 30, 'flow/scores-killed': 25, 'flow/joint-run': 20, 'scoring/feature/packed-before': 20, 'joint/circuit/attacks': 20,
};
const secondsOf = (file) => slow[file.slice('test/'.length, -'.test.ts'.length)] ?? (roomOf(file) === 'console' ? 12 : 2);
const roomOf = (file) => file.split('/')[1];

const files = globSync('test/**/*.test.ts', { cwd: __dirname }).map((file) => file.replaceAll('\\', '/')).sort();
const longestFirst = (rooms) => files.filter((file) => rooms.includes(roomOf(file))).sort((one, other) => secondsOf(other) - secondsOf(one));

/** Takes from the one that is behind. */
function sideBySide(one, other) {
  const order = [];
  const lines = [{ files: one, seconds: 0 }, { files: other, seconds: 0 }];
  while (lines.every((line) => line.files.length > 0)) {
    const line = lines[0].seconds <= lines[1].seconds ? lines[0] : lines[1];
    const file = line.files.shift();
    line.seconds += secondsOf(file);
    order.push(file);
  }
  return [...order, ...one, ...other];
}

const ordered = sideBySide(longestFirst(['console']), longestFirst(waiting));
module.exports = {
  spec: [...ordered, ...files.filter((file) => !ordered.includes(file))],
  require: ['test/support/root-hooks.ts'], timeout: 60000, exit: false, reporter: 'dot', 'forbid-only': true,
};
