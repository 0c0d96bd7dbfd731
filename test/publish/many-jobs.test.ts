import { expect, test } from 'vitest';
import { UpdateRepositoryError } from '../../src/errors.js';
import type { RepositoryEvent } from '../../src/events.js';
import { ManyJobs } from '../../src/publish/many-jobs.js';
import { textObject } from '../../src/publish/release.js';
import { progressReader } from '../../src/publish/rsync/sending.js';

function jobsOf(sizes: Readonly<Record<string, number>>) {
  const told: string[] = [];
  let count = 0;
  const onEvent = (event: RepositoryEvent): void => {
    if (event.type === 'job-progress') told.push(`${event.job}: ${event.doneBytes}`);
    else if ('job' in event) told.push(`${event.job}: ${event.type} ${event.path}`);
  };
  const objects = Object.entries(sizes).map(([path, size]) => textObject(path, 'x'.repeat(size), 'a/b'));
  const jobs = new ManyJobs(objects, 'upload', { onEvent, detail: 'there', nextJob: () => ++count });
  return { jobs, told };
}

test('each object is a job, from the first word on it to its last byte, once', () => {
  const { jobs, told } = jobsOf({ a: 10, empty: 0, b: 5 });
  const onLine = progressReader(
    new Map([
      ['a', 10],
      ['empty', 0],
      ['b', 5],
    ]),
    (path, bytes) => jobs.progress(path, bytes),
  );
  for (const line of [
    '>meta/',
    '>a',
    '',
    '          4  40%    1.00kB/s',
    '         10 100%',
    '>a',
    '          4  40%',
    'note',
  ]) {
    onLine(line);
  }
  jobs.finish();
  expect(told).toEqual([
    '1: job-started a',
    '1: 0',
    '1: 4',
    '1: 10',
    '1: job-finished a',
    '2: job-started empty',
    '2: 0',
    '2: job-finished empty',
    '3: job-started b',
    '3: 5',
    '3: job-finished b',
  ]);
});

test('what had begun fails, what had not is not spoken of', () => {
  const { jobs, told } = jobsOf({ a: 10, b: 5, c: 5 });
  jobs.progress('a', 10);
  jobs.progress('b', 1);
  jobs.fail(new UpdateRepositoryError('NETWORK', 'cut'));
  expect(told.slice(3)).toEqual(['2: job-started b', '2: 1', '2: job-failed b']);
});
