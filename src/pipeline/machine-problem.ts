import { Problem } from '../problem.js';

/** What the machine refuses, in words: a full disk, a folder without permission. Every other error comes back as it is. */
export function machineProblem(error: unknown, folder: string): unknown {
  if (error instanceof Problem || !(error instanceof Error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (
    code === 'ENOSPC' ||
    code === 'EDQUOT' ||
    /No space left on device|disk (is )?full|Disk quota exceeded/i.test(message)
  ) {
    return new Problem('the disk is full', {
      where: folder,
      try: 'free some space and type the same command again: it goes on where it stopped (curate plan says what it needs)',
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
    return new Problem('the run folder cannot be made: a file is in its way', {
      where: folder,
      found: message,
      try: 'another folder with --out',
      cause: error,
    });
  }
  return error;
}
