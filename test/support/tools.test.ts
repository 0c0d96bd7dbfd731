import { afterEach, expect, test, vi } from 'vitest';
import { haveTools, requireTools } from './tools.js';

const context = {
  skip: (reason?: string): never => {
    throw new Error(`skipped: ${reason}`);
  },
};

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('a tool that is installed lets the test go on', () => {
  requireTools(context, 'sh', 'cat');
  expect(haveTools('sh')).toBe(true);
});

test('a missing tool skips the test and says so', () => {
  vi.stubEnv('CI', '');
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(() => requireTools(context, 'sh', 'no-such-tool')).toThrow('skipped: no-such-tool not installed');
  expect(haveTools('no-such-tool')).toBe(false);
  expect(said.mock.calls).toEqual([
    ['SKIPPED: no-such-tool not installed\n'],
    ['SKIPPED: no-such-tool not installed\n'],
  ]);
});

test('a missing tool fails the test in continuous integration', () => {
  vi.stubEnv('CI', 'true');
  const message = 'no-such-tool not installed, and CI=true: not skipped';
  expect(() => requireTools(context, 'no-such-tool')).toThrow(message);
  expect(() => haveTools('no-such-tool')).toThrow(message);
});
