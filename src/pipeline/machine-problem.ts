import { Problem } from '../problem.js';

/**
 * What the machine refuses, in words: a full disk, a folder without permission. Every other error comes back as it is.
 * `folder`: where it was to be written. `again`: what the same command does next time.
 */
export function machineProblem(error: unknown, folder: string, again = 'type the same command again'): unknown {
  if (error instanceof Problem || !(error instanceof Error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (
    code === 'ENOSPC' ||
    code === 'EDQUOT' ||
    /No space left on device|disk (is )?full|Disk quota exceeded/i.test(message)
  ) {
    return new Problem('the disk is full', {
      where: folder,
      try: `free some space and ${again}`,
      cause: error,
    });
  }
  if (
    code === 'EACCES' ||
    code === 'EPERM' ||
    code === 'EROFS' ||
    /Permission denied|Read-only file system/i.test(message)
  ) {
    return new Problem('no permission to write', {
      where: folder,
      found: code ?? message,
      try: 'another folder with --out',
      cause: error,
    });
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new Problem('the folder cannot be made: a file is in its way', {
      where: folder,
      found: message,
      try: 'another folder with --out',
      cause: error,
    });
  }
  // What Node says of a new folder in a read-only file system.
  if (code === 'ENOENT' && (error as NodeJS.ErrnoException).syscall === 'mkdir')
    return new Problem('the folder cannot be made', {
      where: folder,
      found: message,
      try: 'another folder with --out',
      cause: error,
    });
  if (code === 'EISDIR')
    return new Problem('a folder stands where a file is to be read', { where: folder, cause: error });
  return error;
}
