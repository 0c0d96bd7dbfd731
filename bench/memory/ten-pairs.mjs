// Ten deltas one after the other in one process, through the library: prints the resident memory after each, in bytes.
// The two files are base and target in turn, and every delta goes to the third path and is removed.
import { rmSync } from 'node:fs';
import { generateDelta } from 'update-repository';

const [first = '', second = '', deltaPath = ''] = process.argv.slice(2);
const resident = [];
for (let pair = 0; pair < 10; pair++) {
  const [basePath, targetPath] = pair % 2 === 0 ? [first, second] : [second, first];
  await generateDelta({ basePath, targetPath, deltaPath, effort: 'normal' });
  resident.push(process.memoryUsage.rss());
  rmSync(deltaPath);
}
console.log(JSON.stringify(resident));
