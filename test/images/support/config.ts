import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildOptions } from 'update-repository';
import type { Workshop } from './workshop.js';

type Selection = BuildOptions['selection'];

/** Writes a series configuration into the workshop's folder; returns its path. */
export function writeConfig({ folder }: Pick<Workshop, 'folder'>, name: string, config: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** The selection by one configuration file of this content. */
export function selectionOf(workshop: Pick<Workshop, 'folder'>, config: unknown): Selection {
  return selectionBy(writeConfig(workshop, 'series.json', config));
}

/** The selection by configuration files or directories of them. */
export function selectionBy(...configPaths: readonly string[]): Selection {
  return { configPaths, executableOnly: false };
}
