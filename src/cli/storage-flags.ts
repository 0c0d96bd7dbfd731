import { type Command, Option } from 'commander';
import { UpdateRepositoryError } from '../errors.js';
import type { S3Options } from '../publish/s3/options.js';
import { optionValue } from './option-value.js';

/** What the options of {@link addStorageOptions} leave in commander's hands. */
export interface StorageFlags {
  readonly endpoint?: string;
  readonly pathStyle?: boolean;
}

/** How often a request to a storage is made that fails: some half a minute in all. */
export const RETRIES = { attempts: 6, firstPauseMs: 1000 };

/** The options that tell how to reach a storage, where its address does not. */
export function addStorageOptions(command: Command): Command {
  return command
    .addOption(new Option('--endpoint <url>', "the S3 server, where it is not Amazon's").argParser(endpointValue))
    .option('--path-style', 'name the bucket in the path of S3 requests, not in the host name');
}

export function s3Options({ endpoint, pathStyle }: StorageFlags): S3Options {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(pathStyle === undefined ? {} : { pathStyle }),
  };
}

const endpointValue = optionValue('--endpoint', (text) => {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url?.username === '' && url.password === '') return text;
  const found = url === null ? `'${text}'` : 'one with credentials';
  throw new UpdateRepositoryError('USAGE', `expected a URL such as https://s3.example.org, found ${found}`);
});
