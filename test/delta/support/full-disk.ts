import fs from 'node:fs';
import { onTestFinished, vi } from 'vitest';

/** Until the running test is over every write fails as on a full disk. */
export function fillDisk(): void {
  const spy = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC', errno: -28, syscall: 'write' });
  });
  onTestFinished(() => spy.mockRestore());
}
