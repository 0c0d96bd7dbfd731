import type { RepositoryEvent } from 'update-repository';
import { expect } from 'vitest';
import { readClaims } from '../../support/mirror-claims.js';

/**
 * A sink that reads the mirror at every event, before the build goes on: each time all that its indexes name has to be
 * there with those bytes. `seen` are the sets of files that were named, one after the other, each once.
 */
export function validityWatch(mirrorDir: string): {
  readonly onEvent: (event: RepositoryEvent) => void;
  readonly seen: readonly string[][];
} {
  const seen: string[][] = [];
  return {
    seen,
    onEvent(event) {
      const { broken, named } = readClaims(mirrorDir);
      expect(broken, `at ${JSON.stringify(event)}`).toEqual([]);
      const names = [...named.keys()].sort();
      if (JSON.stringify(names) !== JSON.stringify(seen.at(-1))) seen.push(names);
    },
  };
}
