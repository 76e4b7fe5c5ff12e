import type { JobRecord } from './jobRecord.ts'

/*
 * Agents from before jobs keep the results of some jobs in files of their own. An agent with jobs reads these files at its
 * first start, and writes them for one version more, so that an agent from before, after a downgrade, repeats no work. The
 * feature whose jobs they are knows the form of its file: preparing/formerPrepared.ts and maintenance/formerWork.ts. It
 * marks its own entries with `jobs`; agents from before drop that key when they write the file, so an entry without it is
 * theirs.
 */
export interface FormerRecords {
  /** The entries that an agent from before wrote. */
  read: () => JobRecord[]
  /** Converts these records of all kinds, oldest change first, to the content of the file; `null`: there is nothing to keep. */
  convert: (records: readonly JobRecord[]) => unknown
  write: (content: unknown) => void
}

/** The former files have no times. */
export const untimed = { acceptedAt: '' }
export const unknownTime = ''
