import { OperatorError } from './operatorError.ts'

/** Next steps for faults of the environment that the user can fix, by Node's error code. */
const environmental: Record<string, string> = {
  EACCES: 'check the permissions of that file or folder',
  EPERM: 'check the permissions of that file or folder',
  ENOENT: 'check the path',
  ENOTDIR: 'check the path',
  EISDIR: 'name a file, not a folder',
  EROFS: 'remount the file system read-write, or use another one',
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'your disk quota is used up: free some space',
  EMFILE: 'too many open files: raise ulimit -n',
}

/** Converts any error a command threw to an `OperatorError`. An unexpected error becomes `E_BUG`, with its stack. */
export function asOperatorError(error: unknown): OperatorError {
  if (error instanceof OperatorError) return error
  const [code, path] = codeOf(error)
  const message = messages(error)
  const next = code === null ? undefined : environmental[code]
  if (next !== undefined) {
    return new OperatorError('E_ENVIRONMENT', message, { ...(path ? { subject: path } : {}), next, cause: error })
  }
  return new OperatorError('E_BUG', message, {
    next: 'please report this bug, with the lines below and the command you typed',
    cause: error,
  })
}

function codeOf(error: unknown): [string | null, string | null] {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, path } = at as NodeJS.ErrnoException // other errors have neither field
    if (typeof code === 'string' && code in environmental) return [code, path ?? null]
  }
  return [null, null]
}

/** The message of the error, followed by those messages of its causes that it does not already contain. */
function messages(error: unknown): string {
  const parts: string[] = []
  for (let at = error; at instanceof Error && parts.length < 5; at = at.cause) {
    const { message } = at
    if (!parts.some((part) => part.includes(message))) parts.push(message)
  }
  return parts.join(': ') || String(error)
}
