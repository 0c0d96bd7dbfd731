import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { servedTree } from '../support/served-tree.js';
import { caught } from './support/caught.js';
import { build, makeWorkshop } from './support/workshop.js';

const MEBIBYTE = 2 ** 20;

describe('a build', () => {
  it('serves the same bytes whatever the number of jobs', async () => {
    const workshop = await makeWorkshop(3);
    const trees = [];
    for (const jobs of [1, 2, 3]) {
      const mirrorDir = join(workshop.folder, `with-${jobs}`);
      await build({ ...workshop, mirrorDir }, { resources: { jobs, memoryBytes: 2 ** 30 } });
      trees.push(servedTree(mirrorDir));
    }
    expect(trees[1]).toEqual(trees[0]);
    expect(trees[2]).toEqual(trees[0]);
  });

  it('that has too little memory for a delta says how much it needs, and with just that serves the same bytes', async () => {
    const workshop = await makeWorkshop(2);
    const resources = { jobs: 2, memoryBytes: 40 * MEBIBYTE };
    const deltas = { kind: 'latest', count: 1 } as const;
    const error = await caught(build(workshop, { deltas, resources }));
    expect(error).toMatchObject({ code: 'MEMORY', data: { budgetBytes: resources.memoryBytes } });
    const neededBytes = Number(error.data.neededBytes);
    expect(error.message).toMatch(
      new RegExp(`^rdiffs/.*: needs ${Math.ceil(neededBytes / MEBIBYTE)}M of memory, and the budget is 40M$`),
    );

    const less = { jobs: 2, memoryBytes: neededBytes - 1 };
    expect(await caught(build(workshop, { deltas, resources: less }))).toMatchObject({ code: 'MEMORY' });
    await build(workshop, { deltas, resources: { jobs: 2, memoryBytes: neededBytes } });
    const generous = { ...workshop, mirrorDir: join(workshop.folder, 'generous') };
    await build(generous, { deltas });
    expect(servedTree(workshop.mirrorDir)).toEqual(servedTree(generous.mirrorDir));
  });

  it('that has too little memory for anything publishes nothing', async () => {
    const workshop = await makeWorkshop(1);
    const resources = { jobs: 1, memoryBytes: MEBIBYTE };
    expect(await caught(build(workshop, { resources }))).toMatchObject({ code: 'MEMORY' });
    expect(servedTree(workshop.mirrorDir)).toEqual({});
    const { summary } = await build(workshop, { resources, keepGoing: true });
    expect(summary.failures).toBe(1);
  });
});
