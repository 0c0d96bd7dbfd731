import { isLoopbackHost } from '../../net/http/address.js';

/** How somebody is told of a new version: by a command of the shell, or by a POST to a webhook. */
export type Notice =
  | { readonly kind: 'command'; readonly command: string }
  | {
      readonly kind: 'webhook';
      /** Whoever knows it can post there: it is never shown whole. */
      readonly url: URL;
    };

/** How a message calls the form of a {@link Notice}. */
export const NOTICE_FORM = 'a command, or an https URL without user name and password (http on this machine only)';

/** Reads what begins like a web address as a webhook, all else as a command; null where it can be neither. */
export function readNotice(text: string): Notice | null {
  if (text.trim() === '' || text.includes('\0')) return null;
  if (!/^https?:/i.test(text)) return { kind: 'command', command: text };
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isPrivate = url.protocol === 'https:' || isLoopbackHost(url.hostname);
  return isPrivate && url.username === '' && url.password === '' ? { kind: 'webhook', url } : null;
}

/** For messages: a command as it is, of a webhook only the server, since the rest may be a secret. */
export function nameOfNotice(notice: Notice): string {
  return notice.kind === 'command' ? notice.command : notice.url.origin;
}
