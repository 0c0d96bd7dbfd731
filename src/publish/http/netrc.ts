/** Who to be on a machine. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * What a netrc file says of a host, or of all others; null where it says nothing. As ftp(1) describes it: words between
 * blanks, quotes round words that have blanks in them, comments, and macros, which go on to an empty line.
 */
export function findLogin(netrc: string, host: string): Login | null {
  const words = wordsOf(netrc.replace(/^\s*macdef\b.*?(?:\n[ \t]*\r?\n|(?!.))/gms, ''));
  const entries: Entry[] = [];
  for (let word = words.next(); !word.done; word = words.next()) {
    const value = () => String(words.next().value ?? '');
    const entry = entries.at(-1);
    if (word.value === 'machine') entries.push({ host: value(), user: '', password: '' });
    else if (word.value === 'default') entries.push({ host: null, user: '', password: '' });
    else if (word.value === 'login' && entry !== undefined) entry.user = value();
    else if (word.value === 'password' && entry !== undefined) entry.password = value();
    else if (word.value === 'account') value();
  }
  const found = entries.find((entry) => entry.host === null || entry.host.toLowerCase() === host.toLowerCase());
  return found === undefined ? null : { user: found.user, password: found.password };
}

interface Entry {
  /** Null for `default`. */
  readonly host: string | null;
  user: string;
  password: string;
}

function* wordsOf(text: string): Generator<string, undefined> {
  for (const [word, quoted] of text.matchAll(/"((?:[^"\\]|\\.)*)"|#.*|\S+/g)) {
    if (quoted !== undefined) yield quoted.replace(/\\(.)/g, '$1');
    else if (!word.startsWith('#')) yield word;
  }
}
