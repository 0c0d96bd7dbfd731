import { availableParallelism, totalmem } from 'node:os';
import { Option } from 'commander';
import type { Resources } from '../workers/crew.js';
import { parseSize } from './bytes.js';
import { parseCount } from './numbers.js';
import { optionValue } from './option-value.js';

/** What `--jobs` and `--memory` leave in commander's hands. */
export interface ResourceFlags {
  readonly jobs?: number;
  readonly memory?: number;
}

const MANY_FILES = { jobs: 'work on so many files at once', memory: 'memory for all jobs together' };

/** The options `--jobs` and `--memory`, by what they mean to a command. */
export function resourceOptions({ jobs, memory } = MANY_FILES): Option[] {
  return [
    new Option('--jobs <n>', `${jobs} (default: the number of cores)`).argParser(optionValue('--jobs', parseCount)),
    new Option('--memory <size>', `${memory}, such as 512M or 2G (default: half of what there is)`).argParser(
      optionValue('--memory', parseSize),
    ),
  ];
}

/** The resources that the user allows, else those of `machine`. */
export function chooseResources(flags: ResourceFlags, machine: Resources = machineResources()): Resources {
  return { jobs: flags.jobs ?? machine.jobs, memoryBytes: flags.memory ?? machine.memoryBytes };
}

/** All cores, and half of the memory that the machine or the control group of this process has. */
function machineResources(): Resources {
  // constrainedMemory() is 0 where there is no limit and a huge number where the limit is "none".
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return { jobs: availableParallelism(), memoryBytes: Math.floor(Math.min(totalmem(), limit) / 2) };
}
