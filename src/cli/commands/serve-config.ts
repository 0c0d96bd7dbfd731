import { resolve } from 'node:path';
import { Argument, type Command, Option } from 'commander';
import { renderServeConfig, WEB_SERVERS, type WebServer } from '../../publish/serve-config/render.js';
import {
  type ListenAddress,
  parseConfigPath,
  parseListenAddress,
  parseServerName,
} from '../../publish/serve-config/site.js';
import { EXIT } from '../exit-codes.js';
import type { Accept } from '../invocation.js';
import { optionValue } from '../option-value.js';
import { writeStdout } from '../write-stdout.js';

interface ServeConfigFlags {
  readonly serverName: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly listen: ListenAddress;
}

const EPILOGUE = `
Deployed clients trust the certificate authority that their own image has, and
expect the mirror at the root of the server.

Example:
  update-repository serve-config nginx /srv/www --server-name img.example.org >site.conf
`;

/** Adds `serve-config`: prints how a web server has to be set up for a mirror. */
export function defineServeConfig(program: Command, accept: Accept): void {
  const command = program
    .command('serve-config')
    .summary('print the configuration of a web server for a mirror')
    .description(
      'Print a configuration with which a web server serves a mirror as its clients need it: TLS, byte ranges, rules ' +
        'for caches, no compression, no redirects, and what is private hidden.',
    )
    .addArgument(new Argument('<server>', 'the web server').choices(WEB_SERVERS))
    .argument('<root>', 'the mirror, where the server has it')
    .requiredOption('--server-name <name>', 'its host name', optionValue('--server-name', parseServerName))
    .option(
      '--certificate <file>',
      'its certificate with those that lead to the authority (default: /etc/ssl/certs/<name>.pem)',
      optionValue('--certificate', parseConfigPath),
    )
    .option(
      '--key <file>',
      'the key of the certificate (default: /etc/ssl/private/<name>.key)',
      optionValue('--key', parseConfigPath),
    )
    .addOption(
      new Option('--listen <[address:]port>', 'where it listens')
        .argParser(optionValue('--listen', parseListenAddress))
        .default({ address: null, port: 443 }, '443'),
    )
    .addHelpText('after', EPILOGUE);

  command.action((server: WebServer, root: string, { serverName, certificate, key, listen }: ServeConfigFlags) => {
    const site = {
      root: parseConfigPath(resolve(root)),
      serverName,
      listen,
      certificatePath: certificate ?? `/etc/ssl/certs/${serverName}.pem`,
      keyPath: key ?? `/etc/ssl/private/${serverName}.key`,
    };
    accept(command, async ({ stdout }) => {
      await writeStdout(stdout, Buffer.from(renderServeConfig(server, site)));
      return EXIT.done;
    });
  });
}
