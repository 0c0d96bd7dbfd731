// Runs in the process of every test file, for overdue.mjs: notes which file that is.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

const { pid, debugPort: port } = process;
const note = JSON.stringify({ path: expect.getState().testPath, pid, port });
writeFileSync(join(String(process.env.OVERDUE_FOLDER), `${pid}.process`), note);
