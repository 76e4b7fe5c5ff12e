import { OperatorError } from '../lib/operatorError.ts'

/** Faults of the surroundings that people mend themselves: by the code that Node gives them. */
const environmental: Record<string, string> = {
  EACCES: 'check the permissions of that file or folder',
  EPERM: 'check the permissions of that file or folder',
  ENOENT: 'check the path',
  ENOTDIR: 'check the path',
  EISDIR: 'name a file, not a folder',
  EROFS: 'that file system is read-only',
  ENOSPC: 'the disk is full: make room',
  EDQUOT: 'your disk quota is used up: make room',
  EMFILE: 'too many open files: raise ulimit -n',
}

/** Whatever a command threw, as something to tell people. What nobody foresaw is a bug and says where it happened. */
export function asOperatorError(error: unknown): OperatorError {
  if (error instanceof OperatorError) return error
  const [code, path] = codeOf(error)
  const message = messages(error)
  const next = code === null ? undefined : environmental[code]
  if (next !== undefined) {
    return new OperatorError('E_ENVIRONMENT', message, { ...(path ? { subject: path } : {}), next, cause: error })
  }
  return new OperatorError('E_BUG', message, {
    next: 'please report this, with the lines below and what you typed',
    cause: error,
  })
}

function codeOf(error: unknown): [string | null, string | null] {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, path } = at as NodeJS.ErrnoException // others have neither
    if (typeof code === 'string' && code in environmental) return [code, path ?? null]
  }
  return [null, null]
}

/** An error's message and its causes' that it does not already hold. */
function messages(error: unknown): string {
  const parts: string[] = []
  for (let at = error; at instanceof Error && parts.length < 5; at = at.cause) {
    const { message } = at
    if (!parts.some((part) => part.includes(message))) parts.push(message)
  }
  return parts.join(': ') || String(error)
}
