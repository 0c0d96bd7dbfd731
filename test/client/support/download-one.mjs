// Downloads one file as another process, which a test can kill: download-one.mjs '{"root":…,"caFile":…,"directory":…,"file":…}'.
// Prints how many bytes were fetched.
const { openMirrors } = await import(new URL('../../../dist/client/download/mirrors.js', import.meta.url).href);
const { downloadFile } = await import(new URL('../../../dist/client/download/download-file.js', import.meta.url).href);

const { root, caFile, directory, file } = JSON.parse(process.argv[2] ?? '');
const onEvent = () => undefined;
const mirrors = await openMirrors({ roots: [root], caFile, retry: { attempts: 5, firstPauseMs: 100, onEvent } });
const { signal } = new AbortController();
const { keptBytes } = await downloadFile(mirrors, file, { directory, signal, onEvent });
console.log(JSON.stringify({ keptBytes, fetchedBytes: mirrors.traffic.fetchedBytes }));
await mirrors.close();
