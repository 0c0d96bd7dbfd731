import { renderApache } from './apache.js';
import { renderCaddy } from './caddy.js';
import { renderNginx } from './nginx.js';
import type { Site } from './site.js';

/** The servers that a configuration can be written for. */
export const WEB_SERVERS = ['nginx', 'apache', 'caddy'] as const;

export type WebServer = (typeof WEB_SERVERS)[number];

/** The configuration with which a server serves a mirror as its clients need it. Pure. */
export function renderServeConfig(server: WebServer, site: Site): string {
  switch (server) {
    case 'nginx':
      return renderNginx(site);
    case 'apache':
      return renderApache(site);
    case 'caddy':
      return renderCaddy(site);
  }
}
