import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';

/** A file of a source: where it lies, and the name that ids, origins and locks call it by, free of machine paths. */
export interface SourceFile {
  name: string;
  path: string;
  /** Known beforehand for files of the hub. */
  sha256?: string;
  bytes?: number;
}

const dataEnding = /\.(parquet|jsonl|ndjson|json|csv|tsv)(\.(gz|zst|zstd|bz2))?$/i;
const globCharacter = /[*?[\]{}]/;

/**
 * The files that absolute paths, folders and globs name, each once, sorted. A folder stands for the data files below it.
 * Names are relative to the deepest folder that holds them all.
 */
export function findFiles(patterns: readonly string[]): SourceFile[] {
  const paths = [...new Set(patterns.flatMap(expandPattern))].sort((a, b) => (a < b ? -1 : 1));
  const folder = commonFolder(paths);
  return paths.map((path) => ({ name: relative(folder, path).split(sep).join('/'), path }));
}

/** Does the name end like a data file's? */
export function isData(path: string): boolean {
  return dataEnding.test(basename(path));
}

/** The name of a pattern's last part that is no glob, without ending: what an inline source is called by default. */
export function nameOfPattern(pattern: string): string | null {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  const plain = parts.filter((part) => !globCharacter.test(part)).pop();
  const name = plain?.replace(dataEnding, '').replace(/[^A-Za-z0-9._-]+/g, '-') ?? '';
  return name === '' ? null : name;
}

// ---------------------------------------------------------------------------------------------------------------------

function expandPattern(pattern: string): string[] {
  if (existsSync(pattern)) return statSync(pattern).isDirectory() ? filesBelow(pattern).filter(isData) : [pattern];
  if (!globCharacter.test(pattern)) return [];
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => globCharacter.test(part));
  const root = parts.slice(0, first).join('/') || '/';
  const matcher = globMatcher(parts.slice(first).join('/'));
  return filesBelow(root).filter((path) => matcher.test(relative(root, path).split(sep).join('/')));
}

/** Files at any depth, hidden ones and those in hidden folders left out. */
function filesBelow(folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR')
      return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    if (entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory() || (entry.isSymbolicLink() && isFolder(path))) return filesBelow(path);
    return [path];
  });
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function commonFolder(paths: readonly string[]): string {
  const [first, ...rest] = paths;
  if (first === undefined) return '/';
  let folder = dirname(first);
  for (const path of rest) while (!path.startsWith(folder === '/' ? '/' : `${folder}/`)) folder = dirname(folder);
  return folder;
}

/** `*` and `?` within a part, `**` over parts, `[abc]`, `{a,b}`. */
export function globMatcher(glob: string): RegExp {
  let source = '';
  let braces = 0;
  for (let at = 0; at < glob.length; at += 1) {
    const char = glob[at] as string;
    if (glob.startsWith('**/', at)) {
      source += '(?:.*/)?';
      at += 2;
    } else if (glob.startsWith('**', at)) {
      source += '.*';
      at += 1;
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '{') {
      source += '(?:';
      braces += 1;
    } else if (char === '}' && braces > 0) {
      source += ')';
      braces -= 1;
    } else if (char === ',' && braces > 0) source += '|';
    else if (char === '[' && glob.indexOf(']', at + 2) !== -1) {
      const end = glob.indexOf(']', at + 2);
      source += `[${glob
        .slice(at + 1, end)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\')}]`;
      at = end;
    } else source += char.replace(/[\\^$.|+()[\]{}*?]/, '\\$&');
  }
  return new RegExp(`^${source}${')'.repeat(braces)}$`);
}
