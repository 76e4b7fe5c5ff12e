/**
 * Every error code that people can meet: the exit status of the command line, the HTTP status of the API, and what it
 * means. `docs/errors.md` lists the same; a test keeps both equal.
 */
export const errorCodes = {
  E_USAGE: { exit: 2, status: 400, means: 'the command or request is not of a form Tandem knows' },
  E_DEFINITION: { exit: 2, status: 422, means: 'a definition file has errors; each is shown with its line' },
  E_BUILD: { exit: 1, status: 500, means: 'the build or test command failed; nothing was published' },
  E_RELEASE_CONTENT: { exit: 2, status: 422, means: 'the folder holds something a release may not hold' },
  E_RELEASE_CORRUPT: { exit: 1, status: 500, means: 'stored content does not match its hash' },
  E_RELEASE_GONE: { exit: 4, status: 404, means: 'that release is not in the store (any more)' },
  E_STORE_FULL: {
    exit: 4,
    status: 507,
    means: 'the release store has reached its byte cap and nothing may be collected',
  },
} as const satisfies Record<string, { exit: number; status: number; means: string }>

export type ErrorCode = keyof typeof errorCodes
