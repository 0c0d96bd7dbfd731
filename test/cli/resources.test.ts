import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { chooseResources } from '../../src/cli/resources.js';

describe('the resources of a command', () => {
  it('are those of the machine unless the user says less or more', () => {
    const machine = { jobs: 8, memoryBytes: 1000 };
    expect(chooseResources({}, machine)).toEqual(machine);
    expect(chooseResources({ jobs: 2 }, machine)).toEqual({ jobs: 2, memoryBytes: 1000 });
    expect(chooseResources({ memory: 7 }, machine)).toEqual({ jobs: 8, memoryBytes: 7 });
  });

  it('are at least one worker and at most half of the memory on this machine', () => {
    const { jobs, memoryBytes } = chooseResources({});
    expect(jobs).toBeGreaterThanOrEqual(1);
    expect(memoryBytes).toBeGreaterThan(0);
    expect(memoryBytes).toBeLessThanOrEqual(totalmem() / 2);
  });
});
