import { fileURLToPath } from 'node:url';

/** V8 gives ten frames unless told to give more; a message in front of them can have any number of lines. */
const maxLines = 1_000;
const ownFolders = foldersOfRedrive(import.meta.url);

/**
 * The innermost frame of the application's own code, as `function (file)`, or `file` where the function has no name: the first that is
 * not Node's, a dependency's or Redrive's. Without line and column, so it survives edits elsewhere in the file; the file is relative to
 * the working directory where it lies below it, so it is the same on every machine. Null where no frame is the application's.
 */
export function topApplicationFrame(stack: string): string | null {
  for (const line of stack.split('\n', maxLines)) {
    const frame = frameOf(line.trim());
    if (frame === undefined || !isApplications(frame.file)) continue;
    const file = relativeToWork(frame.file);
    return frame.functionName === '' ? file : `${frame.functionName} (${file})`;
  }
  return null;
}

interface Frame {
  readonly functionName: string;
  readonly file: string;
}

const position = /(?::\d{1,9}){1,2}$/;

/** Reads `at handle (file:///app/send.ts:12:5)` and `at async /app/send.ts:12:5`; what has no place in a file (`eval`, `native`) is no frame. */
function frameOf(line: string): Frame | undefined {
  if (!line.startsWith('at ')) return undefined;
  const call = line.slice(line.startsWith('at async ') ? 9 : 3);
  // The first bracket: folders have brackets in their names more often than functions do.
  const open = call.endsWith(')') ? call.indexOf(' (') : -1;
  const location = open === -1 ? call : call.slice(open + 2, -1);
  if (!position.test(location) || location.startsWith('eval at ') || location.startsWith('<anonymous>')) return undefined;
  const functionName = open === -1 ? '' : call.slice(0, open).replace(/ \[as [^\]]*\]$/, '');
  return { functionName, file: pathOf(location.replace(position, '')) };
}

function pathOf(location: string): string {
  if (!location.startsWith('file:')) return withSlashes(location);
  // A loader may have put a version behind the name to load a file anew.
  const url = location.replace(/[?#].*$/, '');
  try {
    return withSlashes(fileURLToPath(url));
  } catch {
    return url;
  }
}

function isApplications(file: string): boolean {
  return !file.startsWith('node:') && !file.includes('/node_modules/') && !ownFolders.some((folder) => file.startsWith(folder));
}

function relativeToWork(file: string): string {
  try {
    const work = `${withSlashes(process.cwd())}/`.replace('//', '/');
    return file.startsWith(work) ? file.slice(work.length) : file;
  } catch {
    // The folder is gone.
    return file;
  }
}

function withSlashes(path: string): string {
  return path.replaceAll('\\', '/');
}

/** The folders of Redrive's code: beside the `src` of this very file, and of the sources where this file was built from them. */
function foldersOfRedrive(url: string): readonly string[] {
  // In a bundle this file's place tells nothing of Redrive.
  const root = /^(file:.*\/)src\/record\/top-application-frame\.[jt]s$/.exec(url)?.[1];
  if (root === undefined) return [];
  const path = withSlashes(fileURLToPath(root));
  const roots = path.endsWith('/dist/') ? [path, path.slice(0, -'dist/'.length)] : [path];
  return roots.flatMap((folder) => [`${folder}src/`, `${folder}providers/`, `${folder}interceptors/`]);
}
