import type { Task, TaskGroup } from './task.js';

/** Who may use how much memory: what a group shares counts once, from its first task's start to its last one's end. */
export class MemoryBudget {
  readonly #budgetBytes: number;
  #freeBytes: number;
  /** Tasks of each group that have not ended. */
  readonly #left = new Map<TaskGroup, number>();
  /** Groups that have their memory. */
  readonly #open = new Set<TaskGroup>();

  constructor(budgetBytes: number, tasks: readonly Task[]) {
    this.#budgetBytes = budgetBytes;
    this.#freeBytes = budgetBytes;
    for (const { group } of tasks) if (group !== undefined) this.#left.set(group, (this.#left.get(group) ?? 0) + 1);
  }

  /** A task that can never fit is let through, to be refused when it runs, so that it holds up nothing. */
  fits(task: Task): boolean {
    return this.#neededBytes(task) <= this.#freeBytes || neededAlone(task) > this.#budgetBytes;
  }

  take(task: Task): void {
    this.#freeBytes -= this.#neededBytes(task);
    if (task.group !== undefined) this.#open.add(task.group);
  }

  giveBack({ memoryBytes, group }: Task): void {
    this.#freeBytes += memoryBytes;
    if (group === undefined) return;
    const left = this.#left.get(group)! - 1;
    this.#left.set(group, left);
    if (left === 0) this.#freeBytes += group.memoryBytes;
  }

  #neededBytes({ memoryBytes, group }: Task): number {
    return memoryBytes + (group === undefined || this.#open.has(group) ? 0 : group.memoryBytes);
  }
}

/** What a task needs when nothing else runs. */
export function neededAlone({ memoryBytes, group }: Task): number {
  return memoryBytes + (group?.memoryBytes ?? 0);
}
