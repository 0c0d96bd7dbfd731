import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/run.js';

interface NamedTest {
  readonly file: string;
  readonly name: string;
}

describe('the threat model of docs/trust-threats.md', () => {
  const page = readFileSync(join(projectRoot, 'docs', 'trust-threats.md'), 'utf8');
  const model = page.slice(page.indexOf('## Threat model'), page.indexOf('## Key ceremonies'));
  const rows = [...model.matchAll(/^\| (?!---)(.*) \|$/gm)].map(([, row = '']) => row);
  const tests = rows.flatMap(testsIn);

  it('names in each row the test that shows it, or that nothing does', () => {
    const untested = rows.filter((row) => testsIn(row).length === 0 && !row.endsWith('| shown by'));
    expect(untested).toEqual([expect.stringMatching(/^other images below `images\/`, .* nothing refuses it$/)]);
    expect(tests.length).toBeGreaterThan(25);
  });

  it.each(tests)('names $name, which is in $file', ({ file, name }) => {
    const path = join(projectRoot, 'test', file);
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain(`'${name}'`);
  });
});

/** "…" after a file is a test of it, or one of its cases. */
function testsIn(row: string): NamedTest[] {
  const files = [...row.matchAll(/`([\w/-]+\.test\.ts)`((?: "[^"]+",?)+)/g)];
  return files.flatMap(([, file = '', names = '']) => {
    return [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => ({ file, name }));
  });
}
